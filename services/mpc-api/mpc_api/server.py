"""uvicorn, with a drain between the signal and the closing of its port."""

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

import uvicorn

from mpc_api.drain import Drain

log = logging.getLogger("mpc_api")


class DrainingServer(uvicorn.Server):
    """On SIGTERM or SIGINT keeps its port open, answering 503, until running requests are done; then exits 0.

    uvicorn alone closes the port at once, so that nobody can ask whether it is draining, and ends with
    the signal instead of 0. A second signal stops without waiting. `patience` is in seconds.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain, *, patience: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._patience = patience
        self._stopping: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)
        yield

    def _on_signal(self) -> None:
        if self._stopping is not None:
            self.should_exit = self.force_exit = True
            return
        self._drain.begun = True
        log.info("draining", extra={"fields": {"inFlight": self._drain.in_flight}})
        self._stopping = asyncio.get_running_loop().create_task(self._stop_when_idle())

    async def _stop_when_idle(self) -> None:
        if not await self._drain.finished(self._patience):
            log.warning("drain_incomplete", extra={"fields": {"inFlight": self._drain.in_flight}})
        self.should_exit = True

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        log.info("started", extra={"fields": {"port": port}})

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        await super().shutdown(sockets)
        log.info("stopped")
