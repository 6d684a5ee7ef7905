"""A swap: a service's containers replaced one by one behind the edge, without losing a request."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from aiinfra.clock import Clock
from aiinfra.commands.candidate import Bench, alive, make, prove, refused
from aiinfra.commands.undoing import undoing
from aiinfra.edge import Edge
from aiinfra.engine import Container, Engine
from aiinfra.errors import Interrupted
from aiinfra.journal import Entry, Journal
from aiinfra.loading import Loaded
from aiinfra.reporting import Event, Report

# HAProxy looks every two seconds; a stale look may fail first.
_EDGE_PATIENCE = 30.0

# Processes from before a reload keep idle connections for a minute, and know no new server.
_FORMER_PATIENCE = 75.0

# Seconds that a drained container gets to end.
_STOPPING = 15


@dataclass(frozen=True)
class Swap:
    """What a swap touches. `seconds` is the deadline of each new container; `beside`: the old one serves meanwhile."""

    loaded: Loaded
    edge: Edge
    engine: Engine
    report: Report
    seconds: float
    clock: Clock
    beside: bool = True

    @property
    def journal(self) -> Journal:
        return Journal(self.loaded.target.workspace.journal_file)

    @property
    def bench(self) -> Bench:
        return Bench(self.loaded, self.edge, self.engine, self.seconds, self.clock, self.beside)

    def containers(self, service: str) -> list[Container]:
        return [one for one in self.engine.containers(self.loaded.target.name) if one.service == service]


def roll(swap: Swap, service: str, stale: Collection[str]) -> float:
    """Replace the containers of a service whose ids are in `stale`, and make as many of them as the settings say.

    Returns the seconds until the last new one served. Raises AiinfraError (NOT_READY): the new container was
    discarded, and the one it should have replaced never stopped.
    """
    began, served = swap.clock.now(), 0.0
    wanted = swap.loaded.stack.replicas[service]
    while True:
        there = swap.containers(service)
        old = sorted((one for one in there if one.id in stale), key=lambda one: one.number)
        new = [one for one in there if one.id not in stale]
        if len(new) < wanted:
            _replace(swap, service, there, old[0] if old else None)
            served = swap.clock.now() - began
        elif old or len(new) > wanted:
            _retire(swap, old[0] if old else max(new, key=lambda one: one.number))
        else:
            swap.journal.clear()
            return served


def _replace(swap: Swap, service: str, there: Sequence[Container], old: Container | None) -> None:
    known = tuple(one.id for one in there)
    swap.journal.write(Entry(service, "begun", known))
    candidate: Container | None = None
    try:
        candidate = make(swap.bench, service, there)
        swap.report(Event("detail", service, f"{candidate.name} boots beside what serves"))
        candidate = prove(swap.bench, candidate)
        goes = old.id if old else ""
        swap.journal.write(Entry(service, "attach", known, candidate.id, goes))
        attach(swap, candidate)
        if old:
            swap.journal.write(Entry(service, "drain", known, candidate.id, goes))
            _drain(swap, old, candidate)
    except (Exception, Interrupted) as error:
        # The journal stays where this fails: the next command looks again.
        with undoing(error):
            _discard(swap, service, known, candidate, old)
        raise
    if old:
        _remove(swap.edge, old, engine=swap.engine, clock=swap.clock)
    swap.journal.clear()


def attach(swap: Swap, candidate: Container) -> None:
    """Let a container get requests. Raises AiinfraError (NOT_READY) when it ends, or the edge's checks of it fail."""
    swap.edge.attach(candidate)
    swap.report(Event("detail", candidate.service, f"{candidate.name} gets requests"))
    fit = swap.clock.until(partial(swap.edge.serves, candidate.name), seconds=_EDGE_PATIENCE)
    alive(swap.bench, candidate)
    if not fit:
        raise refused(swap.bench, candidate, "the edge's own checks of it fail")


def _drain(swap: Swap, old: Container, successor: Container) -> None:
    """Wait until nothing runs in a container. Raises AiinfraError (NOT_READY) when its successor dies meanwhile."""
    swap.edge.drain(old.name)
    swap.report(Event("detail", old.service, f"{old.name} finishes what runs in it"))
    finish(swap.edge, old, lambda: _idle(swap, old, successor), report=swap.report, clock=swap.clock)


def finish(edge: Edge, old: Container, idle: Callable[[], bool], *, report: Report, clock: Clock) -> None:
    """Wait until nothing runs in a container, for its grace at most."""
    grace = edge.stack.grace(old.service)
    if not clock.until(idle, seconds=grace):
        running = edge.in_flight(old.name)
        report(Event("warning", old.name, f"{running} requests still ran after {grace} s and were cut"))


def _idle(swap: Swap, old: Container, successor: Container) -> bool:
    alive(swap.bench, successor)
    return swap.edge.idle(old.name)


def _retire(swap: Swap, old: Container) -> None:
    """Take a container away that has no successor."""
    swap.journal.write(Entry(old.service, "drain", (), "", old.id))
    retire(swap.edge, old, engine=swap.engine, report=swap.report, clock=swap.clock)


def retire(edge: Edge, old: Container, *, engine: Engine, report: Report, clock: Clock) -> None:
    """Let a container finish what runs in it, and take it away."""
    edge.drain(old.name)
    finish(edge, old, partial(edge.idle, old.name), report=report, clock=clock)
    _remove(edge, old, engine=engine, clock=clock)


def _remove(edge: Edge, old: Container, *, engine: Engine, clock: Clock) -> None:
    outlive(edge, old.service, clock=clock)
    edge.detach(old.name)
    engine.rollout.stop(old, seconds=_STOPPING)
    engine.remove([old])


def outlive(edge: Edge, service: str, *, clock: Clock) -> None:
    """Wait until no process of the edge is left that knows the containers of before only."""
    patience = max(_FORMER_PATIENCE, edge.stack.grace(service))
    clock.until(lambda: edge.former() == 0, seconds=patience)


def _discard(
    swap: Swap, service: str, known: Sequence[str], candidate: Container | None, old: Container | None
) -> None:
    """Let what served before serve again, and take away whatever the attempt made."""
    if old and (now := swap.engine.rollout.look_at(old.id)) and now.running:
        swap.edge.attach(now)
    made = [one for one in swap.containers(service) if one.id not in known]
    for one in made or ([candidate] if candidate else []):
        swap.edge.drain(one.name)
        swap.clock.until(partial(swap.edge.idle, one.name), seconds=_STOPPING)
        swap.edge.detach(one.name)
    swap.engine.remove(made)
    swap.journal.clear()
