"""`health --watch` and `health --wait`: the same look again and again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiinfra.clock import SYSTEM_CLOCK, Clock
from aiinfra.commands.health import HealthResult, ServiceHealth, health
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.target import Target

_DOCKER_FAULT = Code.DOCKER_STOPPED.exit_code
_PAUSE = 0.5


@dataclass(frozen=True)
class Round:
    """One look of a watch. `status` is "unknown" while the engine does not answer; `error` then says why."""

    time: str
    stack: str
    status: str
    services: tuple[ServiceHealth, ...]
    error: dict[str, Any] | None


def watch(
    target: Target,
    services: Sequence[str],
    *,
    engine: Engine,
    timeout: float,
    interval: float,
    clock: Clock = SYSTEM_CLOCK,
) -> Iterator[Round]:
    """Look every `interval` seconds, for ever; an engine that stops is a round, and so is its return.

    Raises what `health` raises, except for the engine's own faults once it has answered.
    """
    seen = False
    while True:
        began = clock.now()
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            found = health(target, services, engine=engine, timeout=timeout)
            seen = True
            yield Round(now, target.name, found.status, found.services, None)
        except AiinfraError as error:
            if not seen or error.exit_code != _DOCKER_FAULT:
                raise
            fault = {"code": error.code.name, "message": error.message, "hint": error.hint}
            yield Round(now, target.name, "unknown", (), fault)
        clock.sleep(max(interval - (clock.now() - began), 0.1))


def wait_healthy(
    target: Target, services: Sequence[str], *, engine: Engine, timeout: float, clock: Clock = SYSTEM_CLOCK
) -> HealthResult:
    """Look until all are healthy; returns the last look, whatever it says, after `timeout` seconds."""
    end = clock.now() + timeout
    while True:
        found = health(target, services, engine=engine, timeout=min(5.0, max(end - clock.now(), 0.5)))
        if found.status == "healthy" or clock.now() >= end:
            return found
        clock.sleep(_PAUSE)
