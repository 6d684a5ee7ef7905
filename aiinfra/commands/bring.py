"""Carrying out what was decided: from an intent to a stack whose every service is healthy."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from aiinfra import rendering, workspace
from aiinfra.clock import SYSTEM_CLOCK, Clock
from aiinfra.commands.build import make_images
from aiinfra.commands.decide import Intent, decided_again
from aiinfra.commands.front import prepare
from aiinfra.commands.init import write_keys
from aiinfra.commands.remember import attempt, remember, sweep
from aiinfra.commands.retagging import given_back, retag
from aiinfra.commands.swapping import kept_when_refused, swap, swappable
from aiinfra.engine import Compose, Container, Engine
from aiinfra.errors import AiinfraError
from aiinfra.loading import Loaded
from aiinfra.plan import Change
from aiinfra.providers import ASKED_FOR
from aiinfra.readiness import Wait
from aiinfra.reporting import Event, Report
from aiinfra.stack import EDGE, LITELLM, MPC_API, REDIS

_MADE = ("create", "scale", "recreate")
_DOING = {"reload": "reloading", "recreate": "replacing", "scale": "scaling"}

# What is never swapped, and what its replacement interrupts.
_INTERRUPTED = {
    REDIS: "it restarts, its data stays; until then answers are not cached and limits are not shared",
    EDGE: "it is replaced; what runs through it is cut, and both ports are closed for a moment",
}

_BY_BOOT_TIME = (LITELLM, MPC_API, REDIS, EDGE)


@dataclass(frozen=True)
class ServiceResult:
    """`seconds` is the time from the start of the containers to healthy; None when nothing was done or waited for."""

    service: str
    action: str
    reason: str
    seconds: float | None
    url: str | None


def bring(
    intent: Intent,
    *,
    engine: Engine,
    report: Report,
    seconds: float,
    detach: bool = False,
    clock: Clock = SYSTEM_CLOCK,
) -> tuple[ServiceResult, ...]:
    """Carry out an intent, the stack's lock held. `seconds` is the deadline, from the start of the containers.

    With `detach` nothing is waited for but the new container of a swap. Raises AiinfraError: 4 for Docker, BUILD_FAILED
    before anything runs differently, NOT_READY with the reason when a service does not become healthy.
    """
    _warn_of_missing_aliases(intent.loaded, report)
    _secure_keys(intent, report)
    done: set[str] = set()
    with given_back(intent, done, engine), kept_when_refused(intent, done):
        retag(intent, engine)
        if intent.changed:
            intent = _prepared(intent, engine=engine, report=report)
        shown = set(intent.touched)
        on_ready, on_late = partial(_say_ready, report, shown), partial(_say_late, report, shown)
        root = intent.loaded.target.workspace.root
        wait = Wait(intent.loaded.stack, engine, root, seconds, on_ready, clock, intent.containers, on_late)
        for stage in intent.stages:
            _bring_stage(intent, stage, wait, done, report=report, detach=detach)
    remember(intent, healthy=not detach, engine=engine)
    if intent.changed:
        sweep(intent, engine)
    return tuple(_service_result(intent.loaded, change, wait) for change in intent.planned)


def _bring_stage(
    intent: Intent, stage: Sequence[str], wait: Wait, done: set[str], *, report: Report, detach: bool
) -> None:
    """Replace what can be swapped without a lost request, the rest plainly and before; `done` grows by what was."""
    engine = wait.engine
    swaps = swappable(intent, stage, engine.containers(intent.loaded.target.name)) if intent.changed else []
    plain = [name for name in stage if name not in {change.service for change in swaps}]
    if intent.touched.intersection(stage):
        _say_beginning(intent, stage, report)
        wait.before = _replaced(intent, plain, engine=engine)
        _start(plain, wait.before, engine)
        done |= intent.touched.intersection(plain)
    if not detach:
        wait.healthy(plain)
    for change in swaps:
        took = swap(intent, change, engine=engine, report=report, seconds=wait.seconds, clock=wait.clock)
        done.add(change.service)
        wait.note_ready(change.service, took)
    if swaps and not detach:
        # The engine's own check may need a moment more than ours.
        silent = replace(wait, on_ready=lambda *_: None, on_late=lambda *_: None, ready={})
        silent.healthy([change.service for change in swaps])


def _prepared(intent: Intent, *, engine: Engine, report: Report) -> Intent:
    """Write keys and files, make images, remove what is in the way; no service runs differently after it."""
    engine.require(building=bool(intent.work.builds))
    loaded, target = intent.loaded, intent.loaded.target
    _write_keys(intent, report)
    make_images(intent.work, engine=engine, report=report)
    if intent.work.builds or intent.work.pulls:
        intent = decided_again(intent, engine)
    target.workspace.write_rendered(loaded.rendered.files)
    attempt(intent)
    engine.remove(intent.doomed)
    engine.ensure_volume(loaded.stack.volume, rendering.labels(loaded.stack))
    return intent


def _say_beginning(intent: Intent, stage: Sequence[str], report: Report) -> None:
    for change in intent.planned:
        if change.service in stage and change.action != "unchanged":
            report(Event("begin", change.service, f"{_DOING.get(change.action, 'starting')}: {change.reason}"))
            if change.action == "recreate" and change.service in _INTERRUPTED:
                report(Event("warning", change.service, f"{change.reason}: {_INTERRUPTED[change.service]}"))


def _replaced(intent: Intent, services: Sequence[str], *, engine: Engine) -> list[Container]:
    """Create the containers of services; returns the stack's containers, none of the new ones started."""
    compose = intent.loaded.target.compose
    planned = [change for change in intent.planned if change.service in services]
    for force in (False, True):
        names = [one.service for one in planned if one.action in _MADE and one.forced is force]
        if names:
            _create(compose, names, engine=engine, force=force)
    containers = engine.containers(compose.project)
    prepare(intent.loaded, containers, engine=engine)
    return containers


def _create(compose: Compose, services: Sequence[str], *, engine: Engine, force: bool) -> None:
    try:
        engine.create(compose, services, force=force)
    except AiinfraError:
        # Compose makes one network after the other; those without a container are of no use to anybody.
        with suppress(AiinfraError):
            made = [one.name for one in engine.estate.networks(compose.project)]
            engine.estate.remove_networks([name for name in made if not engine.estate.on_network(name)])
        raise


def _start(stage: Sequence[str], containers: Sequence[Container], engine: Engine) -> None:
    # All at once, the slowest first. MPC-API says 503 until the gateway answers, and is not healthy before that.
    stopped = [one for one in containers if one.service in stage and not one.running]
    engine.start(sorted(stopped, key=lambda one: _BY_BOOT_TIME.index(one.service)))


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


def _say_late(report: Report, shown: set[str], service: str, reason: str) -> None:
    shown.add(service)
    report(Event("detail", service, f"not healthy yet: {reason}"))


def _say_ready(report: Report, shown: set[str], service: str, seconds: float) -> None:
    if service in shown:
        report(Event("done", service, "healthy", seconds))


def _service_result(loaded: Loaded, change: Change, wait: Wait) -> ServiceResult:
    ready = None if change.action == "unchanged" else wait.ready.get(change.service)
    seconds = None if ready is None else round(ready, 2)
    urls = {endpoint.service: endpoint.url for endpoint in loaded.stack.endpoints}
    return ServiceResult(change.service, change.action, change.reason, seconds, urls.get(change.service))
