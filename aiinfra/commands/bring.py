"""Carrying out what was decided: from an intent to a stack whose every service is healthy."""

from dataclasses import dataclass, replace
from functools import partial

from aiinfra import rendering, workspace
from aiinfra.clock import SYSTEM_CLOCK, Clock
from aiinfra.commands.build import make_images
from aiinfra.commands.decide import Intent
from aiinfra.commands.front import prepare
from aiinfra.commands.init import write_keys
from aiinfra.engine import Container, Engine
from aiinfra.loading import Loaded
from aiinfra.plan import Change
from aiinfra.providers import ASKED_FOR
from aiinfra.readiness import Wait
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


def bring(
    intent: Intent, *, engine: Engine, report: Report, seconds: float, clock: Clock = SYSTEM_CLOCK
) -> tuple[ServiceResult, ...]:
    """Carry out an intent, the stack's lock held. `seconds` is the deadline, from the start of the containers.

    Raises AiinfraError: 4 for Docker, BUILD_FAILED before anything runs differently, NOT_READY with the reason when
    a service does not become healthy.
    """
    _warn_of_missing_aliases(intent.loaded, report)
    _secure_keys(intent, report)
    before = _make(intent, engine=engine, report=report) if intent.changed else intent.containers
    on_ready = partial(_say_ready, report, intent.touched)
    root = intent.loaded.target.workspace.root
    wait = Wait(intent.loaded.stack, engine, root, seconds, on_ready, clock, before)
    _start_and_wait(intent.loaded, engine, wait)
    _remember(intent.loaded, healthy=True, changed=intent.changed)
    return tuple(_service_result(intent.loaded, change, wait) for change in intent.planned)


def _make(intent: Intent, *, engine: Engine, report: Report) -> list[Container]:
    """Write keys and files, make images, create containers; returns the containers, none of the new ones started."""
    engine.require()
    loaded, target = intent.loaded, intent.loaded.target
    _write_keys(intent, report)
    make_images(intent.work, engine=engine, report=report)
    target.workspace.write_rendered(loaded.rendered.files)
    _remember(loaded, healthy=False, changed=True)
    engine.remove(intent.doomed)
    engine.ensure_volume(loaded.stack.volume, rendering.labels(loaded.stack))
    for change in intent.planned:
        if change.action != "unchanged":
            report(Event("begin", change.service, f"starting: {change.reason}"))
    replaced = [change for change in intent.planned if change.action in ("create", "scale", "recreate")]
    for force in (False, True):
        if names := [change.service for change in replaced if change.forced is force]:
            engine.create(target.compose, names, force=force)
    containers = engine.containers(target.name)
    prepare(loaded, containers, engine=engine)
    return containers


def _secure_keys(intent: Intent, report: Report) -> None:
    target = intent.loaded.target
    for name in workspace.repair_permissions(target.directory, target.name):
        report(Event("warning", name, "others could read it; it is yours alone now (0600)"))


def _write_keys(intent: Intent, report: Report) -> None:
    write_keys(intent.loaded.target, intent.generated)
    if intent.generated:
        names = ", ".join(intent.generated)
        report(Event("note", intent.loaded.target.keys_file, f"strong keys generated: {names}"))


def _warn_of_missing_aliases(loaded: Loaded, report: Report) -> None:
    missing = [alias for alias in ASKED_FOR if alias not in loaded.provider.aliases]
    if missing:
        text = f"it has no {', '.join(missing)}, which MPC-API asks the gateway for"
        report(Event("warning", f"provider config {loaded.provider.name}", text))


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


def _say_ready(report: Report, touched: set[str], service: str, seconds: float) -> None:
    if service in touched:
        report(Event("done", service, "healthy", seconds))


def _service_result(loaded: Loaded, change: Change, wait: Wait) -> ServiceResult:
    seconds = None if change.action == "unchanged" else round(wait.ready[change.service], 2)
    urls = {endpoint.service: endpoint.url for endpoint in loaded.stack.endpoints}
    return ServiceResult(change.service, change.action, change.reason, seconds, urls.get(change.service))
