"""What has to be done to bring a stack to where its settings say, and why; touches nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiinfra import ports
from aiinfra.commands.build import ImageWork, missing_images
from aiinfra.commands.init import missing_keys
from aiinfra.engine import Container, Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import Loaded, Target, load
from aiinfra.plan import Change, Desired, changes, leftovers, stuck
from aiinfra.stack import EDGE


@dataclass(frozen=True)
class Overrides:
    """What a command asks for beyond the settings.

    `provider_config` replaces the settings' one, `scale` their numbers of replicas by service; `images` are tags to
    run by service, in place of those that our build contexts give; `forced` are services to replace even when nothing
    changed, each with the reason to show.
    """

    provider_config: str | None = None
    scale: Mapping[str, int] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    forced: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Intent:
    """What will be done: keys to write, images to make, containers to remove and to change."""

    loaded: Loaded
    generated: Mapping[str, str]
    containers: Sequence[Container]
    work: ImageWork
    doomed: Sequence[Container]
    planned: Sequence[Change]

    @property
    def touched(self) -> set[str]:
        return {change.service for change in self.planned if change.action != "unchanged"}

    @property
    def changed(self) -> bool:
        return bool(self.touched or self.doomed or self.work.builds)


def decide(target: Target, engine: Engine, overrides: Overrides | None = None) -> Intent:
    """Check everything that can be checked. Raises AiinfraError: exit 3, PORT_TAKEN, STACK_ELSEWHERE, 4 for Docker."""
    wanted = overrides or Overrides()
    generated = missing_keys(target)
    loaded = load(target, generated, provider_config=wanted.provider_config, images=wanted.images, scale=wanted.scale)
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers or engine.volumes(target.name))
    _refuse_taken_ports(loaded, containers, engine)
    twins = leftovers(containers, loaded.stack.replicas)
    kept = [one for one in containers if one not in twins]
    work = missing_images(loaded, engine=engine)
    planned = changes(_desired(loaded, work), kept, forced=wanted.forced)
    return Intent(loaded, generated, containers, work, [*twins, *stuck(kept)], planned)


def _desired(loaded: Loaded, work: ImageWork) -> Desired:
    images = loaded.service_images
    ids = {service: work.ids[image] for service, image in images.items()}
    return Desired(loaded.rendered.hashes, images, ids, loaded.stack.replicas)


def _refuse_taken_ports(loaded: Loaded, containers: Sequence[Container], engine: Engine) -> None:
    live = [one for one in containers if one.service == EDGE and one.state in ("running", "paused")]
    ours = {port for one in live for port in one.ports.values()}
    for endpoint in loaded.stack.endpoints:
        if endpoint.port in ours or ports.is_free(endpoint.address, endpoint.port):
            continue
        container = engine.container_on_port(endpoint.port)
        who = f"the container {container}" if container else ports.owner(endpoint.port) or "another process"
        raise AiinfraError(
            Code.PORT_TAKEN,
            f"port {endpoint.port}, where {endpoint.service} should listen, is taken by {who}",
            hint=f"stop it, or set `ports: {{{endpoint.service}: PORT}}` in aiinfra.yaml; nothing was started",
            details={"port": endpoint.port, "service": endpoint.service, "owner": who},
        )
