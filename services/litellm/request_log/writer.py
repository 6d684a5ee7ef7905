"""Carries rows from the buffer to PostgreSQL, in batches, for as long as the gateway runs."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg

from request_log import table

if TYPE_CHECKING:
    from request_log.buffer import Buffer
    from request_log.row import Row

log = logging.getLogger("aiinfra.request_log")

BATCH_ROWS = 500
PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 10.0
# Data exceptions and violated constraints (SQLSTATE classes): the row's own fault, another try will not help.
_ROWS_FAULT = ("22", "23")


class Writer:
    """One connection and one task; both are made anew for as long as it takes."""

    def __init__(self, url: str, buffer: Buffer) -> None:
        """Touches nothing until `run`."""
        self._url = url
        self._buffer = buffer
        self._connection: asyncpg.Connection | None = None
        self._closing = asyncio.Event()
        self._away = False

    async def run(self) -> None:
        """Write what comes until `close` is called and the buffer is empty."""
        pause = PAUSE_SECONDS
        while True:
            try:
                await self._write_all()
                pause = PAUSE_SECONDS
            except Exception as error:  # noqa: BLE001 (whatever it is, the next rows deserve another try)
                self._lost(error)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            if self._closing.is_set() and not self._buffer:
                return
            await self._pause(pause)

    async def close(self, task: asyncio.Task[None], seconds: float) -> None:
        """Let `task`, which runs this, write the rest for at most so long; say what is lost."""
        self._closing.set()
        await asyncio.wait([task], timeout=seconds)
        task.cancel()
        lost = len(self._buffer) + self._buffer.take_dropped()
        if lost:
            log.error("request log: %d rows were not written before the gateway stopped and are lost", lost)
        if self._connection:
            self._connection.terminate()

    async def _pause(self, seconds: float) -> None:
        if self._closing.is_set():
            await asyncio.sleep(PAUSE_SECONDS)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    async def _write_all(self) -> None:
        connection = await self._connected()
        while rows := self._buffer.oldest(BATCH_ROWS):
            await self._write(connection, rows)
            self._buffer.remove(rows)
        self._tell_dropped()

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            connection = await asyncpg.connect(
                self._url,
                timeout=CONNECT_SECONDS,
                # A pooler in front may give every statement another server.
                statement_cache_size=0,
                command_timeout=STATEMENT_SECONDS,
                server_settings={"application_name": "aiinfra request log"},
            )
            self._connection = connection
            await table.bring_up_to_date(connection)
            if self._away:
                log.warning("request log: PostgreSQL is back; %d rows waited for it", len(self._buffer))
            self._away = False
        return self._connection

    async def _write(self, connection: asyncpg.Connection, rows: list[Row]) -> None:
        """Write all rows or, when one of them is refused, the others."""
        try:
            await connection.executemany(table.INSERT, [row.values() for row in rows])
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not _is_rows_fault(error):
                raise
            if len(rows) == 1:
                # Not its words: they may quote the row.
                why = f"{type(error).__name__} {getattr(error, 'sqlstate', '')}".strip()
                log.error("request log: PostgreSQL refused the row of request %s (%s)", rows[0].request_id, why)  # noqa: TRY400
                return
            middle = len(rows) // 2
            await self._write(connection, rows[:middle])
            await self._write(connection, rows[middle:])

    def _lost(self, error: Exception) -> None:
        if not self._away:
            # A bad URL is quoted in its ValueError, password and all.
            why = type(error).__name__ if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            log.warning("request log: PostgreSQL takes no rows (%s); up to %d wait for it", why, self._buffer.most_rows)
        self._away = True
        self._tell_dropped()
        if self._connection:
            self._connection.terminate()
            self._connection = None

    def _tell_dropped(self) -> None:
        dropped = self._buffer.take_dropped()
        if dropped:
            log.error("request log: dropped the oldest %d rows, because no more fit into memory", dropped)


def _is_rows_fault(error: Exception) -> bool:
    """Whether the values are to blame; asyncpg finds some of it before anything is sent."""
    state = getattr(error, "sqlstate", None)
    return state[:2] in _ROWS_FAULT if state else isinstance(error, ValueError)
