"""What an interrupted command left: a swap is undone where its new container was not proven, all else is finished."""

from collections.abc import Sequence
from functools import partial

from aiinfra.clock import SYSTEM_CLOCK, Clock
from aiinfra.commands.down import end_containers
from aiinfra.commands.front import running_edge
from aiinfra.commands.rolling import retire
from aiinfra.edge import Edge
from aiinfra.engine import Container, Engine
from aiinfra.journal import Entry, Journal
from aiinfra.reporting import Event, Report
from aiinfra.target import Target, running

_UNDOING = 15.0


def recover(target: Target, *, engine: Engine, report: Report, clock: Clock = SYSTEM_CLOCK) -> None:
    """Bring a stack out of the middle of a swap or of its end, its lock held. Does nothing when it is in neither."""
    journal = Journal(target.workspace.journal_file)
    entry = journal.read()
    if entry is None or not target.workspace.exists:
        journal.clear()
        return
    if entry.step == "ending":
        report(Event("note", target.name, "an interrupted command was ending it: finishing that first"))
        end_containers(target.workspace, engine=engine, report=report)
        return
    report(Event("note", entry.service, "an interrupted command was replacing it: putting that in order first"))
    containers = engine.containers(target.name)
    ours = [one for one in containers if one.service == entry.service]
    edge = running_edge(running(target), containers, engine, target.workspace.root)
    if edge is None:
        engine.remove(_without_edge(entry, ours))
    else:
        edge.mend()
        _with_edge(edge, entry, ours, engine=engine, report=report, clock=clock)
        edge.align()
    journal.clear()


def _without_edge(entry: Entry, ours: Sequence[Container]) -> list[Container]:
    """Nothing is served: what is left over can go, and the edge is told anew when it starts."""
    if entry.step == "drain":
        return [one for one in ours if one.id == entry.old and _survives(entry, ours)]
    return made(entry, ours)


def _with_edge(
    edge: Edge, entry: Entry, ours: Sequence[Container], *, engine: Engine, report: Report, clock: Clock
) -> None:
    if entry.step == "held":
        edge.hold(entry.service, seconds=0)
    elif entry.step == "drain" and _survives(entry, ours):
        for old in [one for one in ours if one.id == entry.old]:
            retire(edge, old, engine=engine, report=report, clock=clock)
    else:
        for old in [one for one in ours if one.id == entry.old and one.running]:
            edge.attach(old)
        for new in made(entry, ours):
            edge.drain(new.name)
            clock.until(partial(edge.idle, new.name), seconds=_UNDOING)
            edge.detach(new.name)
            engine.remove([new])


def _survives(entry: Entry, ours: Sequence[Container]) -> bool:
    """Say whether what replaces the old container serves; one that has no successor just goes."""
    return not entry.new or any(one.id == entry.new and one.running for one in ours)


def made(entry: Entry, ours: Sequence[Container]) -> list[Container]:
    """Return what the command made; nothing where all that it found is gone: what is there then may be all there is."""
    if entry.step == "held" or not any(one.id in entry.known for one in ours):
        return []
    return [one for one in ours if one.id not in entry.known]
