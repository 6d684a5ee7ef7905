"""A replacement without a second container: requests wait in the edge while the only one restarts."""

from functools import partial

from aiinfra.commands.candidate import prove
from aiinfra.commands.rolling import Swap
from aiinfra.engine import Container
from aiinfra.errors import AiinfraError, Code
from aiinfra.journal import Entry
from aiinfra.reporting import Event

_EDGE_PATIENCE = 30.0


def replace_in_place(swap: Swap, old: Container, *, force: bool) -> float:
    """Replace the only container of a service; returns the seconds until the new one served.

    Raises AiinfraError (NOT_READY): the old one is gone, and requests are answered with 503 from then on.
    """
    service, edge = old.service, swap.edge
    began = swap.clock.now()
    swap.journal.write(Entry(service, "held", (), "", old.id))
    edge.hold(service, on=True)
    swap.report(Event("detail", service, "requests wait in the edge"))
    try:
        grace = swap.loaded.stack.grace(service)
        if not swap.clock.until(partial(edge.idle, old.name), seconds=grace):
            running = edge.in_flight(old.name)
            swap.report(Event("warning", old.name, f"{running} requests still ran after {grace} s and were cut"))
        _recreate(swap, service, force=force)
    finally:
        edge.hold(service, on=False)
        swap.journal.clear()
    return swap.clock.now() - began


def _recreate(swap: Swap, service: str, *, force: bool) -> None:
    engine, edge = swap.engine, swap.edge
    engine.create(swap.loaded.target.compose, [service], force=force)
    made = swap.containers(service)
    engine.start(made)
    for one in made:
        new = prove(swap.bench, one)
        edge.attach(new)
        if not swap.clock.until(partial(edge.serves, new.name), seconds=_EDGE_PATIENCE):
            raise AiinfraError(
                Code.NOT_READY,
                f"{service}: the edge's own checks of the new container fail",
                hint="see why: `aiinfra logs edge`",
            )
