"""A container beside those that serve: made, proven by our own probe, or discarded with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiinfra import gate
from aiinfra.clock import Clock
from aiinfra.diagnosis import LOG_LINES, exit_reason, not_ready
from aiinfra.edge import Edge
from aiinfra.engine import Container, Engine, Exit
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import Loaded

# Seconds between two looks.
_PAUSE = 0.3

# Seconds that a candidate must have been fit before it gets requests: what dies at once dies in these.
_SETTLING = 1.0


@dataclass(frozen=True)
class Bench:
    """What is needed to make and to prove a container. `seconds` is the deadline of each.

    `beside` says that another one serves meanwhile.
    """

    loaded: Loaded
    edge: Edge
    engine: Engine
    seconds: float
    clock: Clock
    beside: bool = True


def make(bench: Bench, service: str, there: Sequence[Container]) -> Container:
    """Create and start one more container of a service, beside those that are there."""
    engine, target = bench.engine, bench.loaded.target
    engine.rollout.create_beside(target.compose, service, total=len(there) + 1)
    known = {one.id for one in there}
    made = [one for one in engine.containers(target.name) if one.service == service and one.id not in known]
    if not made:
        raise AiinfraError(
            Code.DOCKER_REFUSED,
            f"Compose made no further container of {service}",
            hint="run the same command again; what ran before still runs",
        )
    engine.start(made)
    return made[0]


def prove(bench: Bench, candidate: Container) -> Container:
    """Wait until our own probe of a candidate passes, twice; return it as it is then.

    Raises AiinfraError (NOT_READY) at the deadline, and at once when it exits, restarts, or serves other models.
    """
    start, pause = bench.clock.now(), _PAUSE
    text, fault = "no probe has run yet", None
    fit_since: float | None = None
    while bench.clock.now() - start < bench.seconds:
        now = alive(bench, candidate)
        before, fault = fault, gate.fault(bench.edge, now, bench.loaded)
        if fault:
            fit_since, text, pause = None, fault.text, _PAUSE
            if fault.final and fault == before:
                raise refused(bench, now, fault.text)
        elif fit_since is None:
            fit_since = bench.clock.now()
            gate.warm_up(bench.edge, now, bench.loaded)
            pause = max(_SETTLING - (bench.clock.now() - fit_since), 0)
        elif bench.clock.now() - fit_since >= _SETTLING:
            return now
        bench.clock.sleep(pause)
    raise refused(bench, candidate, f"it is not ready after {bench.seconds:.0f} s; its last probe says: {text}")


def alive(bench: Bench, candidate: Container) -> Container:
    """Return a candidate as it is now. Raises AiinfraError (NOT_READY) when it has ended, or was restarted."""
    now = bench.engine.rollout.look_at(candidate.id)
    if now is None:
        raise refused(bench, candidate, "its container is gone")
    if now.state == "paused":
        raise refused(bench, now, "it is frozen (`docker pause`)")
    if not now.running or now.restarts > 0:
        end = bench.engine.last_exit(now)
        raise refused(bench, now, exit_reason(now.service, end), end)
    return now


def refused(bench: Bench, candidate: Container, reason: str, end: Exit | None = None) -> AiinfraError:
    """Return the error for a candidate that cannot serve, with what it wrote last."""
    lines, values = bench.engine.logs_of(candidate, LOG_LINES), bench.loaded.values.values()
    left = not bench.beside
    error = not_ready(candidate.service, candidate, reason, end=end, lines=lines, secrets=values, left=left)
    if left:
        return error
    error.message = f"the new container of {error.message}\nIt was discarded; what served before still serves"
    error.details["kept"] = True
    return error
