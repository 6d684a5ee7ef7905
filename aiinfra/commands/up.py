"""`up`: from whatever there is to a healthy stack; touches only what is missing or changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aiinfra import ports, rendering, workspace
from aiinfra.commands.build import make_images, missing_images
from aiinfra.commands.init import missing_keys, write_keys
from aiinfra.engine import Container, Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import Loaded, Target, load
from aiinfra.plan import Change, changes, leftovers, stuck
from aiinfra.providers import ASKED_FOR
from aiinfra.readiness import SYSTEM_CLOCK, Clock, Wait
from aiinfra.reporting import Event, Report
from aiinfra.stack import EDGE, LITELLM, MPC_API, REDIS, SERVICES


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
    engine.require()
    waiting = partial(_say_waiting, report)
    with target.workspace.lock("up", wait=seconds, on_wait=waiting):
        generated = missing_keys(target)
        loaded = load(target, generated)
        containers = engine.containers(target.name)
        target.refuse_elsewhere([*containers, *engine.volumes(target.name)])
        _refuse_taken_ports(loaded, containers, engine)
        work = missing_images(loaded, engine=engine)
        _write_keys(target, generated, report)
        _warn_of_missing_aliases(loaded, report)
        make_images(work, engine=engine, report=report)
        doomed = leftovers(containers)
        kept = [one for one in containers if one not in doomed]
        planned = changes(loaded.rendered.hashes, {one.service: one.tag for one in loaded.builds}, kept)
        touched = {change.service for change in planned if change.action != "unchanged"}
        changed = bool(touched or doomed)
        if changed:
            engine.remove([*doomed, *stuck(kept)])
            _prepare(loaded, planned, engine=engine, report=report)
        before = engine.containers(target.name)
        wait = Wait(loaded.stack, engine, seconds, partial(_say_ready, report, touched), clock, before)
        _start_and_wait(loaded, engine, wait)
        _remember(loaded, healthy=True, changed=changed)
    return UpResult(
        target.name,
        loaded.provider.name,
        tuple(_service_result(loaded, change, wait) for change in planned),
        tuple(generated),
        tuple(build.tag for build in work.builds),
        round(clock.now() - began, 2),
        changed,
    )


def _write_keys(target: Target, generated: Mapping[str, str], report: Report) -> None:
    for name in workspace.repair_permissions(target.directory, target.name):
        report(Event("warning", name, "others could read it; it is yours alone now (0600)"))
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


def _prepare(loaded: Loaded, planned: Sequence[Change], *, engine: Engine, report: Report) -> None:
    target = loaded.target
    target.workspace.write_rendered(loaded.rendered.files)
    _remember(loaded, healthy=False, changed=True)
    engine.ensure_volume(loaded.stack.volume, rendering.labels(loaded.stack))
    replaced = [change.service for change in planned if change.action in ("create", "recreate")]
    for change in planned:
        if change.action != "unchanged":
            report(Event("begin", change.service, f"starting: {change.reason}"))
    if replaced:
        engine.create(target.compose, replaced)


def _start_and_wait(loaded: Loaded, engine: Engine, wait: Wait) -> None:
    # MPC-API must find a gateway that answers; everything else starts at once, the slowest first.
    _start(wait.before, (LITELLM, REDIS, EDGE), engine)

    def start_api(answering: str) -> None:
        if answering == LITELLM:
            _start(wait.before, [MPC_API], engine)

    wait.healthy(SERVICES, start_api)
    loaded.target.workspace.sweep(loaded.rendered.files)


def _start(containers: Sequence[Container], services: Sequence[str], engine: Engine) -> None:
    stopped = [one for one in containers if one.service in services and not one.running]
    engine.start(sorted(stopped, key=lambda one: services.index(one.service)))


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
