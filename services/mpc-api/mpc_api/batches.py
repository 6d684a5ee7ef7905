"""Many small questions, asked together: what comes up while one batch is under way goes into the next."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 128


class Batches(Generic[Item, Result]):
    """Carries items out in batches of at most `MOST`, one batch at a time.

    `carry_out` gets the items in the order in which they came and returns a result for each; what it raises
    is raised to everyone in the batch.
    """

    def __init__(self, carry_out: Callable[[list[Item]], Awaitable[list[Result]]]) -> None:
        self._carry_out = carry_out
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._running: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            # A task begins after everything that is ready now: those items go along.
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._one(batch)
        finally:
            self._running = None

    async def _one(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._carry_out([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  # whoever asked decides
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
