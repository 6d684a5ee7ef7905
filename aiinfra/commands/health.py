"""`health`: all probes at once; healthy only when all of them are."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from aiinfra import keys, probes
from aiinfra.engine import Container, Engine, Exit
from aiinfra.probes import Probe
from aiinfra.stack import EDGE, PUBLISHED, REDIS, SERVICES, Stack
from aiinfra.target import Target, running


@dataclass(frozen=True)
class ReplicaHealth:
    """One container of a service; `milliseconds` and `text` are those of the look past the edge.

    `container` is the engine's word. `failing_streak` counts its failed checks in a row, `last_failure` is what the
    last of them said.
    """

    name: str
    status: str
    container: str
    milliseconds: float | None
    text: str
    failing_streak: int
    last_failure: str


@dataclass(frozen=True)
class ServiceHealth:
    """`status` is healthy, degraded, unhealthy, stopped, paused or restarting; `text` is the reason.

    `milliseconds` is the time through the edge, or directly where no edge stands before the service.
    `dependencies` is what the service says of those that it needs.
    """

    service: str
    status: str
    container: str
    milliseconds: float | None
    text: str
    failing_streak: int = 0
    last_failure: str = ""
    dependencies: Mapping[str, str] = field(default_factory=dict)
    replicas: tuple[ReplicaHealth, ...] = ()


@dataclass(frozen=True)
class HealthResult:
    stack: str
    status: str
    services: tuple[ServiceHealth, ...]
    warnings: tuple[str, ...] = ()


_PROBED = ("healthy", "degraded", "unhealthy")

# A service through the edge, or one container.
_Look = tuple[str, str]
_Looks = dict[_Look, Callable[[], Probe]]


def health(target: Target, services: Sequence[str], *, engine: Engine, timeout: float = 5.0) -> HealthResult:
    """Probe services (all when none is named) at the same time. `timeout` is in seconds, for all of it."""
    end = time.monotonic() + timeout
    stack = running(target)
    wanted = [name for name in SERVICES if name in services or not services]
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers)
    found = [one for one in containers if one.service in wanted]
    seconds = max(end - time.monotonic(), 0.1)
    answers = probes.together(_looks(stack, wanted, found, engine, seconds), timeout=seconds)
    rows = tuple(
        judged(name, [one for one in found if one.service == name], answers.get((name, "")), answers) for name in wanted
    )
    ending = stack.certificate.warning(datetime.now(UTC)) if stack.certificate else ""
    return HealthResult(target.name, _worst(rows), rows, (ending,) if ending else ())


def _looks(
    stack: Stack, wanted: Sequence[str], containers: Sequence[Container], engine: Engine, timeout: float
) -> _Looks:
    looks: _Looks = {}
    for name in wanted:
        if name in PUBLISHED:
            looks[name, ""] = partial(probes.endpoint, stack, name, timeout=timeout)
    for one in (one for one in containers if one.running):
        if one.service in PUBLISHED:
            looks[one.service, one.id] = partial(probes.direct, engine, one, timeout=timeout)
        elif one.service == REDIS:
            password = keys.load(stack.directory, stack.name).get("REDIS_PASSWORD", "")
            looks[REDIS, one.id] = partial(probes.redis, engine, one, password, timeout=timeout)
        elif one.service == EDGE:
            looks[EDGE, one.id] = partial(probes.edge, stack, timeout=timeout)
    return looks


def judged(
    service: str, containers: Sequence[Container], through: Probe | None, answers: Mapping[_Look, Probe]
) -> ServiceHealth:
    """Return what a service is, from what its containers and its endpoint at the edge answered."""
    replicas = tuple(_replica(one, answers.get((service, one.id))) for one in containers)
    status, text = _verdict(replicas, through)
    probe = through or next((answers[service, one.id] for one in containers if (service, one.id) in answers), None)
    worst = max(replicas, key=lambda one: one.failing_streak, default=None)
    words = sorted({one.container for one in replicas})
    return ServiceHealth(
        service,
        status,
        ", ".join(words) or "missing",
        probe.milliseconds if probe and status in _PROBED else None,
        text,
        worst.failing_streak if worst else 0,
        worst.last_failure if worst else "",
        probe.dependencies if probe else {},
        replicas,
    )


def _replica(container: Container, probe: Probe | None) -> ReplicaHealth:
    said = (container.health if container.running else "") or container.state
    if not container.running:
        text = _why_not(container)
        status = container.state if container.state in ("paused", "restarting") else "stopped"
    elif probe is None:
        status, text = "unhealthy", "it could not be probed"
    elif not probe.healthy:
        status, text = probe.status, probe.text
    elif container.health == "unhealthy":
        status, text = "unhealthy", container.last_check
    else:
        status, text = "healthy", ""
    return ReplicaHealth(
        container.name,
        status,
        said,
        probe.milliseconds if probe else None,
        text,
        container.failing_streak,
        container.last_failure,
    )


def _why_not(container: Container) -> str:
    if container.state == "paused":
        return "it is frozen (`docker pause`)"
    if container.state not in ("exited", "restarting"):
        return "it does not run"
    from aiinfra.diagnosis import exit_reason  # noqa: PLC0415 - only when something is wrong

    return exit_reason(container.service, Exit(container.exit_code, container.out_of_memory))


def _verdict(replicas: Sequence[ReplicaHealth], through: Probe | None) -> tuple[str, str]:
    if not replicas:
        return "stopped", "it has no container"
    good = [one for one in replicas if one.status == "healthy"]
    # One that still starts beside those that serve is a replacement, not a fault.
    bad = [one for one in replicas if one.status != "healthy" and not (good and one.container == "starting")]
    reasons = _reasons(bad, alone=len(replicas) == 1)
    if not any(one.status in _PROBED for one in replicas):
        return replicas[0].status, reasons
    if through is not None and not through.healthy:
        elsewhere = len(good) == len(replicas)
        words = f"through the edge: {through.text}; directly it is healthy" if elsewhere else through.text
        return through.status, words
    if len(replicas) == 1 or not bad:
        return (bad[0].status if bad else "healthy"), reasons
    served = good or any(one.status == "degraded" for one in bad)
    return ("degraded" if served else "unhealthy"), reasons


def _reasons(replicas: Sequence[ReplicaHealth], *, alone: bool) -> str:
    return "; ".join(one.text if alone else f"{one.name} is {one.status}: {one.text}" for one in replicas)


def _worst(rows: Sequence[ServiceHealth]) -> str:
    statuses = {row.status for row in rows}
    if statuses == {"healthy"}:
        return "healthy"
    return "degraded" if statuses <= {"healthy", "degraded"} else "unhealthy"
