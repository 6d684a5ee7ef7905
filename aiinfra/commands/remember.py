"""What a stack keeps of an applied state, and what it throws away."""

from dataclasses import replace
from datetime import UTC, datetime

from aiinfra import generations
from aiinfra.commands.decide import Intent
from aiinfra.commands.kept import digests
from aiinfra.engine import Container, Engine
from aiinfra.generations import Generation
from aiinfra.stack import SERVICES


def remember(intent: Intent, *, healthy: bool, changed: bool, engine: Engine) -> None:
    """Write down what was applied, and remove rendered folders that neither a container nor a generation uses."""
    loaded, state = intent.loaded, intent.loaded.state
    if not changed and state.healthy:
        return
    number = state.generation + changed
    containers = engine.containers(loaded.target.name) if healthy or not changed else []
    applied = {"provider_config": loaded.provider.name, "hashes": dict(loaded.rendered.hashes)}
    workspace = loaded.target.workspace
    generations.save(workspace, _generation(intent, number, healthy, containers))
    workspace.save(replace(state, generation=number, healthy=healthy, applied=applied))


def sweep(intent: Intent, engine: Engine) -> None:
    """Remove rendered folders that nothing mounts: a service that was not touched still has its old ones."""
    workspace = intent.loaded.target.workspace
    mounted = [mount for one in engine.containers(intent.loaded.target.name) for mount in one.mounts]
    kept = [folder for one in generations.load(workspace) for folder in one.folders]
    workspace.sweep(intent.loaded.rendered.files, [*mounted, *kept])


def _generation(intent: Intent, number: int, healthy: bool, containers: list[Container]) -> Generation:  # noqa: FBT001
    loaded = intent.loaded
    found = {one.service: one.image_id for one in containers}
    images = loaded.service_images
    return Generation(
        number=number,
        at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        verb=intent.verb,
        provider_config=loaded.provider.name,
        healthy=healthy,
        whole=set(intent.scope) == set(SERVICES),
        images=dict(images),
        image_ids={service: found.get(service, intent.ids.get(image, "")) for service, image in images.items()},
        replicas={service: loaded.stack.replicas[service] for service in SERVICES},
        hashes=dict(loaded.rendered.hashes),
        ports=dict(loaded.stack.identity.ports),
        address=loaded.stack.identity.address,
        keys=digests(loaded),
        compose=loaded.rendered.compose,
        files=tuple(file.path for file in loaded.rendered.files if not file.live and "/" in file.path),
    )
