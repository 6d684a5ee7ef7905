"""`ps`: what runs, as the engine sees it."""

from dataclasses import dataclass

from aiinfra.engine import Container, Engine
from aiinfra.loading import Target
from aiinfra.stack import PUBLISHED, SERVICES


@dataclass(frozen=True)
class PsRow:
    """One container. `started` is ISO 8601 in UTC, `ports` the host ports that lead to the service."""

    service: str
    state: str
    health: str
    image: str
    ports: tuple[int, ...]
    started: str | None
    container: str
    id: str


def ps(target: Target, *, engine: Engine) -> tuple[PsRow, ...]:
    """Return the stack's containers, stopped ones too, in order of dependency."""
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers)
    published = {inner: outer for one in containers if one.running for inner, outer in one.ports.items()}
    shown = [one for one in containers if one.service in SERVICES]
    return tuple(_row(one, published) for one in sorted(shown, key=_order))


def _order(container: Container) -> tuple[int, str]:
    return SERVICES.index(container.service), container.name


def _row(container: Container, published: dict[int, int]) -> PsRow:
    inner = PUBLISHED.get(container.service)
    return PsRow(
        service=container.service,
        state=container.state,
        health=container.health if container.running else "",
        image=container.image,
        ports=(published[inner],) if inner in published else (),
        started=container.started.isoformat().replace("+00:00", "Z") if container.started else None,
        container=container.name,
        id=container.id[:12],
    )
