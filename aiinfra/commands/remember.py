"""What a stack keeps of an applied state, and what it throws away."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from aiinfra import generations
from aiinfra.commands.decide import Intent
from aiinfra.commands.kept import digests
from aiinfra.engine import Container, Engine
from aiinfra.generations import Generation
from aiinfra.naming import CONTENT_LABEL
from aiinfra.stack import SERVICES


def attempt(intent: Intent) -> None:
    """Write down what is about to be applied, as a state that is not healthy yet."""
    workspace, number = intent.loaded.target.workspace, intent.loaded.state.generation
    for one in generations.load(workspace):
        if one.number == number and not one.healthy and became_healthy(one, intent.containers):
            generations.save(workspace, replace(one, healthy=True))
    _save(intent, generations.following(workspace, number), healthy=False, containers=())


def became_healthy(generation: Generation, containers: Sequence[Container]) -> bool:
    """Say whether all of a state runs and is healthy by now, though nobody waited for it."""
    for service, wanted in generation.hashes.items():
        ours = [one for one in containers if one.service == service and one.health == "healthy"]
        if len([one for one in ours if one.labels.get(CONTENT_LABEL) == wanted]) < generation.replicas[service]:
            return False
    return True


def remember(intent: Intent, *, healthy: bool, engine: Engine) -> None:
    """Write down how what was applied turned out."""
    if not intent.changed and intent.loaded.state.healthy:
        return
    state = intent.loaded.target.workspace.state() or intent.loaded.state
    _save(intent, state.generation, healthy=healthy, containers=engine.containers(intent.loaded.target.name))


def _save(intent: Intent, number: int, *, healthy: bool, containers: Sequence[Container]) -> None:
    loaded = intent.loaded
    applied = {"provider_config": loaded.provider.name, "hashes": dict(loaded.rendered.hashes)}
    generations.save(loaded.target.workspace, _generation(intent, number, healthy, containers))
    loaded.target.workspace.save(replace(loaded.state, generation=number, healthy=healthy, applied=applied))


def sweep(intent: Intent, engine: Engine) -> None:
    """Remove rendered folders that nothing mounts: a service that was not touched still has its old ones."""
    workspace = intent.loaded.target.workspace
    mounted = [mount for one in engine.containers(intent.loaded.target.name) for mount in one.mounts]
    kept = [folder for one in generations.load(workspace) for folder in one.folders]
    workspace.sweep(intent.loaded.rendered.files, [*mounted, *kept])


def _generation(intent: Intent, number: int, healthy: bool, containers: Sequence[Container]) -> Generation:  # noqa: FBT001
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
