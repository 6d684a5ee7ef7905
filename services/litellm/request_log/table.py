"""The table of the request log, made and brought up to date by whoever comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from request_log.row import COLUMNS

if TYPE_CHECKING:
    import asyncpg

NAME = "gateway_requests"
_MARK = "aiinfra request log, version "
# Any number that is ours alone: replicas that start together take turns.
_LOCK = 0x61696E6672610001

# Each step leads from the version of its index to the next and may be run twice. Never change one, add another.
STEPS = (
    f"""
    CREATE TABLE IF NOT EXISTS {NAME} (
        id uuid PRIMARY KEY,
        began_at timestamptz NOT NULL,
        request_id text,
        call_type text,
        alias text,
        deployment text,
        provider text,
        model text,
        streamed boolean NOT NULL,
        cached boolean NOT NULL,
        prompt_tokens bigint NOT NULL,
        completion_tokens bigint NOT NULL,
        cost double precision NOT NULL,
        duration_ms bigint NOT NULL,
        outcome text NOT NULL,
        status integer NOT NULL,
        attempts integer NOT NULL,
        error text,
        error_words text,
        prompt text,
        answer text
    );
    CREATE INDEX IF NOT EXISTS {NAME}_began_at ON {NAME} (began_at);
    """,
)

# A batch whose confirmation got lost is written again: then its rows are there already.
INSERT = (
    f"INSERT INTO {NAME} ({', '.join(COLUMNS)}) "  # noqa: S608 (names of our own)
    f"VALUES ({', '.join(f'${number}' for number in range(1, len(COLUMNS) + 1))}) ON CONFLICT (id) DO NOTHING"
)


async def bring_up_to_date(connection: asyncpg.Connection) -> None:
    """Make or migrate the table. Asks for no right beyond INSERT when there is nothing to do."""
    if await _version(connection) >= len(STEPS):
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        for step in STEPS[await _version(connection) :]:
            await connection.execute(step)
        await connection.execute(f"COMMENT ON TABLE {NAME} IS '{_MARK}{len(STEPS)}'")


async def _version(connection: asyncpg.Connection) -> int:
    """0 for a table that is not there; the version lives in the table's comment, so it goes when the table goes."""
    comment = await connection.fetchval("SELECT obj_description(to_regclass($1), 'pg_class')", NAME)
    number = (comment or "").removeprefix(_MARK)
    return int(number) if number.isdecimal() else 0
