"""What the request log reads from the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_YES = {"1", "true", "yes", "on"}


@dataclass(frozen=True)
class Settings:
    """LITELLM_DATABASE_URL: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...`; nothing is logged without it.

    REQUEST_LOG_PROMPTS: "true" also keeps what was asked and answered, and the words of errors (which may quote it).
    REQUEST_LOG_BUFFER: how many rows wait in memory while PostgreSQL is away; the oldest go first (default 20000).
    """

    url: str = field(repr=False)
    prompts: bool = False
    buffer_rows: int = 20_000


def read(environment: Mapping[str, str]) -> Settings:
    """Raises ValueError, naming the variable and not a secret, for a value that cannot be used."""
    rows = environment.get("REQUEST_LOG_BUFFER") or str(Settings.buffer_rows)
    if not rows.isdecimal() or int(rows) < 1:
        raise ValueError(f"REQUEST_LOG_BUFFER: {rows} is not a number of rows")
    return Settings(
        url=environment.get("LITELLM_DATABASE_URL", ""),
        prompts=environment.get("REQUEST_LOG_PROMPTS", "").lower() in _YES,
        buffer_rows=int(rows),
    )
