"""`up`: from whatever there is to a healthy stack; touches only what is missing or changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aiinfra import ports, rendering, workspace
from aiinfra.commands.build import ImageWork, make_images, missing_images
from aiinfra.commands.init import missing_keys, write_keys
from aiinfra.engine import Container, Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import Loaded, Target, load
from aiinfra.plan import Change, changes, leftovers, stuck
from aiinfra.providers import ASKED_FOR
from aiinfra.readiness import SYSTEM_CLOCK, Clock, Wait
from aiinfra.reporting import Event, Report
from aiinfra.stack import EDGE, LITELLM, MPC_API, REDIS, SERVICES

_BY_BOOT_TIME = (LITELLM, MPC_API, REDIS, EDGE)


@dataclass(frozen=True)
class ServiceResult:
    """`seconds` is the time from the start of the containers to healthy; None when nothing was done."""

    service: str
    action: str
    reason: str
    seconds: float | None
    url: str | None


@dataclass(frozen=True)
class UpResult:
    stack: str
    provider_config: str
    services: tuple[ServiceResult, ...]
    keys_generated: tuple[str, ...]
    images_built: tuple[str, ...]
    seconds: float
    changed: bool


def up(
    target: Target, *, engine: Engine, report: Report, timeout: float | None = None, clock: Clock = SYSTEM_CLOCK
) -> UpResult:
    """Bring a stack to where its settings say, and wait until every service is healthy.

    `timeout` is in seconds, from the start of the containers; the settings' when None.
    Raises AiinfraError: exit 3 before anything is touched, 4 for Docker, PORT_TAKEN before anything starts,
    NOT_READY with the reason when a service does not become healthy.
    """
    began = clock.now()
    seconds = float(timeout or target.settings.timeout)
    with target.workspace.lock("up", wait=seconds, on_wait=partial(_say_waiting, report)):
        intent = _decide(target, engine)
        _warn_of_missing_aliases(intent.loaded, report)
        _secure_keys(target, report)
        before = _carry_out(intent, engine=engine, report=report) if intent.changed else intent.containers
        on_ready = partial(_say_ready, report, intent.touched)
        wait = Wait(intent.loaded.stack, engine, seconds, on_ready, clock, before)
        _start_and_wait(intent.loaded, engine, wait)
        _remember(intent.loaded, healthy=True, changed=intent.changed)
    return UpResult(
        target.name,
        intent.loaded.provider.name,
        tuple(_service_result(intent.loaded, change, wait) for change in intent.planned),
        tuple(intent.generated),
        tuple(build.tag for build in intent.work.builds),
        round(clock.now() - began, 2),
        intent.changed,
    )


@dataclass(frozen=True)
class _Intent:
    """What an `up` will do: keys to write, images to make, containers to remove and to change."""

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


def _decide(target: Target, engine: Engine) -> _Intent:
    """Check everything that can be checked, touching nothing."""
    generated = missing_keys(target)
    loaded = load(target, generated)
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers or engine.volumes(target.name))
    _refuse_taken_ports(loaded, containers, engine)
    tags = {build.service: build.tag for build in loaded.builds}
    twins = leftovers(containers)
    kept = [one for one in containers if one not in twins]
    planned = changes(loaded.rendered.hashes, tags, kept)
    work = missing_images(loaded, engine=engine)
    return _Intent(loaded, generated, containers, work, [*twins, *stuck(kept)], planned)


def _carry_out(intent: _Intent, *, engine: Engine, report: Report) -> list[Container]:
    """Write keys and files, make images, create containers; returns the containers, none of the new ones started."""
    engine.require()
    loaded, target = intent.loaded, intent.loaded.target
    _write_keys(target, intent.generated, report)
    make_images(intent.work, engine=engine, report=report)
    target.workspace.write_rendered(loaded.rendered.files)
    _remember(loaded, healthy=False, changed=True)
    engine.remove(intent.doomed)
    engine.ensure_volume(loaded.stack.volume, rendering.labels(loaded.stack))
    for change in intent.planned:
        if change.action != "unchanged":
            report(Event("begin", change.service, f"starting: {change.reason}"))
    replaced = [change.service for change in intent.planned if change.action in ("create", "recreate")]
    if replaced:
        engine.create(target.compose, replaced)
    return engine.containers(target.name)


def _secure_keys(target: Target, report: Report) -> None:
    for name in workspace.repair_permissions(target.directory, target.name):
        report(Event("warning", name, "others could read it; it is yours alone now (0600)"))


def _write_keys(target: Target, generated: Mapping[str, str], report: Report) -> None:
    write_keys(target, generated)
    if generated:
        report(Event("note", target.keys_file, f"strong keys generated: {', '.join(generated)}"))


def _warn_of_missing_aliases(loaded: Loaded, report: Report) -> None:
    missing = [alias for alias in ASKED_FOR if alias not in loaded.provider.aliases]
    if missing:
        text = f"it has no {', '.join(missing)}, which MPC-API asks the gateway for"
        report(Event("warning", f"provider config {loaded.provider.name}", text))


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


def _start_and_wait(loaded: Loaded, engine: Engine, wait: Wait) -> None:
    # All at once, the slowest first. MPC-API says 503 until the gateway answers, and is not healthy before that.
    stopped = [one for one in wait.before if not one.running]
    engine.start(sorted(stopped, key=lambda one: _BY_BOOT_TIME.index(one.service)))
    wait.healthy(SERVICES)
    loaded.target.workspace.sweep(loaded.rendered.files)


def _remember(loaded: Loaded, *, healthy: bool, changed: bool) -> None:
    if not changed and loaded.state.healthy:
        return
    state = loaded.state
    applied = {"provider_config": loaded.provider.name, "hashes": dict(loaded.rendered.hashes)}
    loaded.target.workspace.save(
        replace(state, generation=state.generation + changed, healthy=healthy, applied=applied)
    )


def _say_waiting(report: Report, holder: str) -> None:
    report(Event("note", "lock", f"waiting for {holder}"))


def _say_ready(report: Report, touched: set[str], service: str, seconds: float) -> None:
    if service in touched:
        report(Event("done", service, "healthy", seconds))


def _service_result(loaded: Loaded, change: Change, wait: Wait) -> ServiceResult:
    seconds = None if change.action == "unchanged" else round(wait.ready[change.service], 2)
    urls = {endpoint.service: endpoint.url for endpoint in loaded.stack.endpoints}
    return ServiceResult(change.service, change.action, change.reason, seconds, urls.get(change.service))
