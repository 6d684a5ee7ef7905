"""Which changes of a stage can be made as swaps, and those swaps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiinfra import disk
from aiinfra.clock import Clock
from aiinfra.commands.decide import Intent
from aiinfra.commands.front import running_edge
from aiinfra.commands.in_place import replace_in_place
from aiinfra.commands.rolling import Swap, roll
from aiinfra.commands.undoing import undoing
from aiinfra.engine import Container, Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.plan import Change
from aiinfra.reporting import Report
from aiinfra.stack import EDGE, LITELLM, MPC_API


def swappable(intent: Intent, stage: Sequence[str], containers: Sequence[Container]) -> list[Change]:
    """Return the changes that lose no request: something serves behind an edge that stays.

    `containers` are those of the stack as it is now.
    """
    planned = {change.service: change for change in intent.planned}
    if not any(one.service == EDGE and one.running for one in containers):
        return []
    if EDGE in stage and planned[EDGE].action not in ("unchanged", "reload"):
        return []
    serving = {one.service for one in containers if one.running and one.health == "healthy"}
    changes = [planned[name] for name in (LITELLM, MPC_API) if name in stage and name in serving]
    return [change for change in changes if change.action in ("recreate", "scale")]


def swap(intent: Intent, change: Change, *, engine: Engine, report: Report, seconds: float, clock: Clock) -> float:
    """Swap one service; returns the seconds until the last new container served."""
    containers = engine.containers(intent.loaded.target.name)
    edge = running_edge(intent.loaded.stack, containers, engine, intent.loaded.target.workspace.root)
    if edge is None:
        raise AiinfraError(Code.NOT_RUNNING, "the edge does not run any more", hint="start it: `aiinfra up`")
    work = Swap(intent.loaded, edge, engine, report, seconds, clock)
    ours = [one for one in containers if one.service == change.service]
    if intent.wanted.in_place and len(ours) == 1 == intent.loaded.stack.replicas[change.service]:
        return replace_in_place(work, ours[0], force=change.forced)
    return roll(work, change.service, intent.stale)


@contextmanager
def kept_when_refused(intent: Intent, done: set[str]) -> Iterator[None]:
    """Leave the folder of a stack as it was, when a refused container was all that an attempt came to.

    `done` are the services that run differently by then.
    """
    place = intent.loaded.target.workspace
    before, compose = place.state(), place.compose_text()
    try:
        yield
    except AiinfraError as error:
        if before and compose and error.details.get("kept") and not done:
            with undoing(error):
                disk.write(place.compose_file, compose)
                place.save(before)
        raise
