"""One piece of work for all who ask for the same thing at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class Flights(Generic[T]):
    """Work under way, by name. It belongs to nobody: it ends early only when everyone has left."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    def under_way(self, name: str) -> bool:
        return name in self._flights

    async def join(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """What the work called `name` gives or raises; `work` begins it when it is not under way."""
        flight = self._flights.get(name)
        if flight is None:
            flight = _Flight(asyncio.ensure_future(_run(work)))
            self._flights[name] = flight
            flight.task.add_done_callback(lambda task: self._landed(name, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.task.done():
                # Nobody may join what is being cancelled.
                self._flights.pop(name, None)
                flight.task.cancel()

    def _landed(self, name: str, task: asyncio.Task[T]) -> None:
        flight = self._flights.get(name)
        if flight is not None and flight.task is task:
            del self._flights[name]
        if not task.cancelled():
            task.exception()  # seen: everyone who waited may have left


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
