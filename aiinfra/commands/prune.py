"""`prune`: remove what this tool made and nothing uses; never anything of anybody else."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from aiinfra.commands.down import held
from aiinfra.commands.unused import Item, Unused, directories, unused, workspaces
from aiinfra.engine import Engine
from aiinfra.reporting import Event, Report


@dataclass(frozen=True)
class PruneResult:
    """`freed` is in bytes; `removed` is false for a dry run."""

    items: tuple[Item, ...]
    freed: int
    removed: bool


def look(here: Path, *, engine: Engine, volumes: bool) -> Unused:
    """Return what `prune` would remove. Data of dead stacks is in it only with `volumes`."""
    return unused(engine, here, volumes=volumes)


def dry(found: Unused) -> PruneResult:
    return PruneResult(found.items, _bytes(found), removed=False)


def prune(here: Path, found: Unused, *, engine: Engine, report: Report) -> PruneResult:
    """Remove what was found, while no other command changes a stack. Raises STACK_LOCKED when one does."""
    estate = engine.estate
    with ExitStack() as stack:
        known = directories((*estate.containers(), *estate.networks(), *estate.volumes()), here)
        for workspace in workspaces(known):
            stack.enter_context(held(workspace, "prune", report))
        still = {one.id for one in unused(engine, here, volumes=False).images}
        engine.remove(found.containers)
        estate.remove_networks([one.name for one in found.networks])
        engine.remove_volumes([one.name for one in found.volumes])
        for image in found.images:
            report(Event("begin", "images", f"removing {image.tags[0] if image.tags else image.id[7:19]}"))
            if image.id in still:
                estate.remove_images([image])
        # Without its images, more of the cache is shared with none.
        estate.remove_cache(estate.cache())
    return PruneResult(found.items, _bytes(found), removed=True)


def _bytes(found: Unused) -> int:
    return sum(max(item.size, 0) for item in found.items)
