"""What has to be done to bring a stack to where its settings say, and why; touches nothing."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from aiinfra import edge_config, ports
from aiinfra.commands.build import ImageWishes, ImageWork, image_work
from aiinfra.commands.init import missing_keys
from aiinfra.commands.kept import load_kept, retags
from aiinfra.engine import Container, Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.generations import Generation
from aiinfra.loading import Loaded, load
from aiinfra.plan import Change, Desired, changes, leftovers, limited, outdated, stuck
from aiinfra.stack import EDGE, LITELLM, MPC_API, PUBLISHED, REDIS, SERVICES, Stack
from aiinfra.target import Target


@dataclass(frozen=True)
class Overrides:
    """What a command asks for beyond the settings.

    `provider_config` replaces the settings' one, `scale` their numbers of replicas by service; `images` are tags to
    run by service, in place of those that our build contexts give; `forced` are services to replace even when nothing
    changed, each with the reason to show; `services` are the only ones to touch (with what they need and does not
    run), all when empty; `in_order` waits for each service before the next one is touched; `in_place` lets requests
    wait in the edge while a single container is replaced, where there is no memory for two; `generation` comes back in
    place of what the settings say.
    """

    provider_config: str | None = None
    scale: Mapping[str, int] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    forced: Mapping[str, str] = field(default_factory=dict)
    services: Sequence[str] = ()
    wishes: ImageWishes = field(default_factory=ImageWishes)
    generation: Generation | None = None
    in_order: bool = False
    in_place: bool = False


@dataclass(frozen=True)
class Intent:
    """What will be done: keys to write, images to make, containers to remove (`doomed`) and to change.

    `containers` are those of the stack, `kept` those of them that are no leftovers, `stale` the ids of those that do
    not run what they should.
    """

    loaded: Loaded
    wanted: Overrides
    generated: Mapping[str, str]
    containers: Sequence[Container]
    kept: Sequence[Container]
    work: ImageWork
    doomed: Sequence[Container]
    planned: Sequence[Change]
    stale: frozenset[str]
    ids: Mapping[str, str]
    retags: Mapping[str, str] = field(default_factory=dict)
    verb: str = "up"

    @property
    def touched(self) -> set[str]:
        return {change.service for change in self.planned if change.action != "unchanged"}

    @property
    def changed(self) -> bool:
        return bool(self.touched or self.doomed or self.work.builds or self.work.pulls)

    @property
    def scope(self) -> tuple[str, ...]:
        """The services that must be healthy in the end."""
        named = self.wanted.services or SERVICES
        return tuple(name for name in SERVICES if name in named or name in self.touched)

    @property
    def stages(self) -> tuple[tuple[str, ...], ...]:
        """Which services are touched together, one stage healthy before the next begins."""
        # Probes of what stands behind the edge go through it.
        order = sorted(self.scope, key=(REDIS, EDGE, LITELLM, MPC_API).index)
        return tuple((name,) for name in order) if self.wanted.in_order else (self.scope,)


def decide(target: Target, engine: Engine, overrides: Overrides | None = None) -> Intent:
    """Check everything that can be checked. Raises AiinfraError: exit 3, PORT_TAKEN, STACK_ELSEWHERE, 4 for Docker."""
    wanted = overrides or Overrides()
    with ThreadPoolExecutor(max_workers=1) as pool:
        # The engine is asked while files are read and rendered; what is wrong with those is said first.
        asked = pool.submit(engine.containers, target.name)
        generated = missing_keys(target)
        loaded = _loaded(target, generated, wanted)
        containers = asked.result()
    target.refuse_elsewhere(containers or engine.volumes(target.name))
    _refuse_taken_ports(loaded, containers, engine)
    twins = leftovers(containers, loaded.stack.replicas)
    kept = [one for one in containers if one not in twins]
    wanted = replace(wanted, forced={**_severed(loaded.stack, kept, engine), **wanted.forced})
    back = retags(wanted.generation, engine) if wanted.generation else {}
    ids = {**_image_ids(loaded, engine), **back}
    planned, stale = _planned(loaded, wanted, kept, ids)
    touched = [change.service for change in planned if change.action != "unchanged"]
    work = image_work(loaded, wanted.wishes, touched=touched, ids=ids, engine=engine)
    return Intent(loaded, wanted, generated, containers, kept, work, [*twins, *stuck(kept)], planned, stale, ids, back)


def decided_again(intent: Intent, engine: Engine) -> Intent:
    """Return the intent as it is once its images are there: an image that was built anew may be the same one."""
    ids = {**_image_ids(intent.loaded, engine), **intent.retags}
    planned, stale = _planned(intent.loaded, intent.wanted, intent.kept, ids)
    return replace(intent, planned=planned, stale=stale, ids=ids)


def _loaded(target: Target, generated: Mapping[str, str], wanted: Overrides) -> Loaded:
    if wanted.generation is not None:
        return load_kept(target, wanted.generation)
    return load(target, generated, provider_config=wanted.provider_config, images=wanted.images, scale=wanted.scale)


def _image_ids(loaded: Loaded, engine: Engine) -> dict[str, str]:
    return engine.image_ids(list(dict.fromkeys(loaded.service_images.values())))


def _planned(
    loaded: Loaded, wanted: Overrides, kept: Sequence[Container], ids: Mapping[str, str]
) -> tuple[tuple[Change, ...], frozenset[str]]:
    images = loaded.service_images
    found = {service: ids[image] for service, image in images.items()}
    desired = Desired(loaded.rendered.hashes, images, found, loaded.stack.replicas)
    planned = _reloaded(changes(desired, kept, forced=wanted.forced), loaded, kept)
    stale = [*outdated(desired, kept), *(one for one in kept if one.service in wanted.forced)]
    return limited(planned, wanted.services), frozenset(one.id for one in stale)


def _severed(stack: Stack, kept: Sequence[Container], engine: Engine) -> dict[str, str]:
    """Return the services with a container that is on a network no more, each with the reason."""
    # One that runs says itself what it is on; another one still names a network that was removed meanwhile.
    known: set[str] | None = None
    if any(not one.running for one in kept):
        known = {word for network in engine.estate.networks(stack.name) for word in (network.id, network.name)}
    return {
        one.service: f"it lost the network {name}"
        for one in kept
        for name in stack.networks(one.service)
        if name not in one.networks or (known is not None and (one.networks[name] or name) not in known)
    }


def _reloaded(planned: Sequence[Change], loaded: Loaded, kept: Sequence[Container]) -> Sequence[Change]:
    if not any(one.service == EDGE and one.action == "unchanged" for one in planned):
        return planned
    reason = _edge_fault(planned, loaded, kept)
    # One that runs takes the files over; one that its files keep from running cannot even be asked.
    sound = all(one.health == "healthy" for one in kept if one.service == EDGE)
    change = Change(EDGE, "reload", reason) if sound else Change(EDGE, "recreate", reason, forced=True)
    return [change if reason and one.service == EDGE else one for one in planned]


def _edge_fault(planned: Sequence[Change], loaded: Loaded, kept: Sequence[Container]) -> str:
    """Say why the edge's files are not those that what runs should have; "" when they are."""
    files = loaded.target.workspace.edge_files()
    found = files.get(edge_config.CONFIG, "")
    wanted = next(file.text for file in loaded.rendered.files if file.path == edge_config.FILE)
    if found and edge_config.version_of(found) not in ("", edge_config.version_of(wanted)):
        return "its configuration changed"
    steady = {one.service for one in planned if one.service in PUBLISHED and one.action == "unchanged"}
    behind = {one for one in edge_config.behind(found) if one[0] in steady}
    there = {(one.service, one.name) for one in kept if one.service in steady}
    intact = behind == there and edge_config.intact(loaded.stack, files)
    return "" if intact else "its files were changed by hand"


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
