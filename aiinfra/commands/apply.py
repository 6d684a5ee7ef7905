"""One applied state: lock, decide, carry out. What `up` and every other verb that changes a stack do."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from aiinfra import meaning
from aiinfra.clock import SYSTEM_CLOCK, Clock
from aiinfra.commands.bring import ServiceResult, bring
from aiinfra.commands.decide import Overrides, decide
from aiinfra.commands.recover import recover
from aiinfra.engine import Engine, abandon
from aiinfra.reporting import Event, Report
from aiinfra.target import Target


@dataclass(frozen=True)
class Applied:
    stack: str
    provider_config: str
    services: tuple[ServiceResult, ...]
    keys_generated: tuple[str, ...]
    images_built: tuple[str, ...]
    seconds: float
    changed: bool
    waited: bool


def apply(
    target: Target,
    verb: str,
    overrides: Overrides | None = None,
    *,
    engine: Engine,
    report: Report,
    timeout: float | None = None,
    detach: bool = False,
    prepare: Callable[[], None] = lambda: None,
    clock: Clock = SYSTEM_CLOCK,
) -> Applied:
    """Bring a stack to where its settings and `overrides` say, and wait until every service is healthy.

    `verb` names the lock's holder. `timeout` is in seconds, from the start of the containers; the settings' when None.
    With `detach` nothing is waited for.
    `prepare` edits what the stack reads, once nobody else can.
    Raises AiinfraError: exit 3 before anything is touched, 4 for Docker, PORT_TAKEN before anything starts,
    NOT_READY with the reason when a service does not become healthy.
    """
    seconds = float(timeout or target.settings.timeout)
    with target.workspace.lock(verb, wait=seconds, on_wait=partial(say_waiting, report)):
        result = applied(
            target,
            verb,
            overrides,
            engine=engine,
            report=report,
            seconds=seconds,
            detach=detach,
            prepare=prepare,
            clock=clock,
        )
        meaning.write(target)
        return result


def applied(
    target: Target,
    verb: str,
    overrides: Overrides | None = None,
    *,
    engine: Engine,
    report: Report,
    seconds: float,
    detach: bool = False,
    prepare: Callable[[], None] = lambda: None,
    clock: Clock = SYSTEM_CLOCK,
) -> Applied:
    """Do what `apply` does, for a command that holds the stack's lock already, for more than this."""
    began = clock.now()
    recover(target, engine=engine, report=report, clock=clock)
    prepare()
    intent = replace(decide(target, engine, overrides), verb=verb)
    abandon(target.name)
    services = bring(intent, engine=engine, report=report, seconds=seconds, detach=detach, clock=clock)
    return Applied(
        target.name,
        intent.loaded.provider.name,
        services,
        tuple(intent.generated),
        tuple(build.tag for build in intent.work.builds),
        round(clock.now() - began, 2),
        intent.changed,
        not detach,
    )


def say_waiting(report: Report, holder: str) -> None:
    """Tell who holds the lock that a command waits for."""
    report(Event("note", "lock", f"waiting for {holder}"))
