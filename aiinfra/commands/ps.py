"""`ps`: what runs, as the engine sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiinfra.engine import Container, Engine, Stats
from aiinfra.stack import OUTSIDE, SERVICES
from aiinfra.target import Target


@dataclass(frozen=True)
class PsRow:
    """One container. `started` is ISO 8601 in UTC, `ports` the host ports that lead to the service.

    It is number `replica` of the `replicas` containers that its service has. `stats` only where asked for.
    """

    service: str
    state: str
    health: str
    replica: int
    replicas: int
    image: str
    version: str
    ports: tuple[int, ...]
    started: str | None
    uptime_seconds: int | None
    container: str
    id: str
    stats: Stats | None


def ps(target: Target, *, engine: Engine, stats: bool = False) -> tuple[PsRow, ...]:
    """Return the stack's containers, stopped ones too, in order of dependency."""
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers)
    published = {inner: outer for one in containers if one.running for inner, outer in one.ports.items()}
    shown = sorted((one for one in containers if one.service in SERVICES), key=_order)
    measured = engine.stats([one for one in shown if one.running]) if stats else {}
    numbers: dict[str, list[str]] = {}
    for one in shown:
        numbers.setdefault(one.service, []).append(one.id)
    return tuple(_row(one, numbers[one.service], published, measured.get(one.id)) for one in shown)


def _order(container: Container) -> tuple[int, int]:
    return SERVICES.index(container.service), container.number


def _row(container: Container, siblings: list[str], published: Mapping[int, int], stats: Stats | None) -> PsRow:
    inner = OUTSIDE.get(container.service)
    started = container.started
    up = (datetime.now(UTC) - started).total_seconds() if started and container.running else None
    return PsRow(
        service=container.service,
        state=container.state,
        health=container.health if container.running else "",
        replica=siblings.index(container.id) + 1,
        replicas=len(siblings),
        image=container.image,
        version=container.image_version,
        ports=(published[inner],) if inner is not None and inner in published else (),
        started=started.isoformat().replace("+00:00", "Z") if started else None,
        uptime_seconds=None if up is None else max(int(up), 0),
        container=container.name,
        id=container.id[:12],
        stats=stats,
    )
