"""`plan`: what `up` would do and why; touches nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiinfra.commands.decide import Overrides, decide
from aiinfra.engine import Engine
from aiinfra.target import Target


@dataclass(frozen=True)
class PlannedService:
    """`action` is unchanged, start, create, scale or recreate."""

    service: str
    action: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """`removed` are leftovers of an interrupted command, by name."""

    stack: str
    provider_config: str
    changed: bool
    services: tuple[PlannedService, ...]
    builds: tuple[str, ...]
    pulls: tuple[str, ...]
    removed: tuple[str, ...]
    keys: tuple[str, ...]


def plan(target: Target, services: Sequence[str], *, engine: Engine) -> Plan:
    """Return what `up` would do with these services (all when none is named). Raises what `up` would raise first."""
    intent = decide(target, engine, Overrides(services=services))
    return Plan(
        target.name,
        intent.loaded.provider.name,
        intent.changed,
        tuple(PlannedService(one.service, one.action, one.reason) for one in intent.planned),
        tuple(build.tag for build in intent.work.builds),
        intent.work.pulls,
        tuple(one.name for one in intent.doomed),
        tuple(intent.generated),
    )
