"""Whether the process takes new work, and how much is still running."""

import asyncio

from mpc_api.metrics import IN_FLIGHT


class Drain:
    """Counts requests in flight; once begun it never ends."""

    def __init__(self) -> None:
        self.begun = False
        self.in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> None:
        """One request more; `leave` must follow."""
        self.in_flight += 1
        IN_FLIGHT.inc()
        self._idle.clear()

    def leave(self) -> None:
        self.in_flight -= 1
        IN_FLIGHT.dec()
        if self.in_flight == 0:
            self._idle.set()

    async def finished(self, patience: float) -> bool:
        """Wait until nothing is in flight, at most `patience` seconds; whether that was reached."""
        try:
            async with asyncio.timeout(patience):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
