"""A replacement without a second container: requests wait in the edge while the only one restarts."""

from dataclasses import replace
from functools import partial

from aiinfra.clock import Clock
from aiinfra.commands.candidate import prove
from aiinfra.commands.rolling import Swap, attach, finish, outlive
from aiinfra.commands.undoing import undoing
from aiinfra.engine import Container
from aiinfra.errors import Interrupted
from aiinfra.journal import Entry
from aiinfra.reporting import Event

# Seconds that requests wait at most, and after which that is said again: a command that dies is outlived by little.
_HELD, _SAID_AGAIN = 120, 30.0


def replace_in_place(swap: Swap, old: Container, *, force: bool) -> float:
    """Replace the only container of a service; returns the seconds until the new one served.

    Raises AiinfraError (NOT_READY): the old one is gone, and requests are answered with 503 from then on.
    """
    service, edge = old.service, swap.edge
    began = swap.clock.now()
    # They hold nothing back.
    outlive(edge, service, clock=swap.clock)
    swap.journal.write(Entry(service, "held", (), "", old.id))
    try:
        edge.hold(service, seconds=_HELD)
        swap.report(Event("detail", service, "requests wait in the edge"))
        _recreate(replace(swap, clock=_holding(swap, service), beside=False), old, force=force)
    except (Exception, Interrupted) as error:
        # The journal stays: the next command looks again.
        with undoing(error):
            edge.hold(service, seconds=0)
        raise
    edge.hold(service, seconds=0)
    swap.journal.clear()
    return swap.clock.now() - began


def _holding(swap: Swap, service: str) -> Clock:
    """Return a clock in whose pauses the edge is told to hold on."""
    said = swap.clock.now()

    def sleep(seconds: float) -> None:
        nonlocal said
        if swap.clock.now() - said > _SAID_AGAIN:
            said = swap.clock.now()
            swap.edge.hold(service, seconds=_HELD)
        swap.clock.sleep(seconds)

    return Clock(swap.clock.now, sleep)


def _recreate(swap: Swap, old: Container, *, force: bool) -> None:
    finish(swap.edge, old, partial(swap.edge.idle, old.name), report=swap.report, clock=swap.clock)
    swap.engine.create(swap.loaded.target.compose, [old.service], force=force)
    made = swap.containers(old.service)
    swap.engine.start(made)
    for one in made:
        attach(swap, prove(swap.bench, one))
