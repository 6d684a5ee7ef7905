"""`plan`: what `up` would do and why; touches nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiinfra import edge_config, meaning
from aiinfra.engine import Engine
from aiinfra.meaning import Meaning
from aiinfra.plan import Desired, settled
from aiinfra.stack import PUBLISHED, SERVICES, networks_of
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
    known = meaning.read(target)
    if known and _settled(target, known, engine):
        unchanged = tuple(PlannedService(name, "unchanged", "") for name in SERVICES)
        return Plan(target.name, known.provider_config, False, unchanged, (), (), (), ())
    # Whatever is to be done, or unknown, is found out with everything read anew.
    from aiinfra.commands.decide import Overrides, decide  # noqa: PLC0415

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


def _settled(target: Target, known: Meaning, engine: Engine) -> bool:
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers)
    ids = engine.image_ids(list(dict.fromkeys(known.images.values())))
    found = {service: ids[image] for service, image in known.images.items()}
    files = target.workspace.edge_files()
    behind = {(one.service, one.name) for one in containers if one.service in PUBLISHED}
    return (
        edge_config.skeleton(files) == known.edge
        and edge_config.behind(files.get(edge_config.CONFIG, "")) == behind
        and all(set(networks_of(target.name, one.service)) <= set(one.networks) for one in containers)
        and settled(Desired(known.hashes, known.images, found, known.replicas), containers)
    )
