"""A row in PostgreSQL for every request: `callbacks: ["request_log.handler"]` in LiteLLM's settings.

Environment: see `request_log.settings`. The table: see `request_log.table`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from request_log.handler import RequestLog

    handler: RequestLog

__all__ = ["handler"]


def __getattr__(name: str) -> object:
    """Makes `handler` when it is asked for, so that the rest of the package works where LiteLLM is not installed."""
    if name != "handler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from request_log.handler import RequestLog  # noqa: PLC0415

    globals()[name] = RequestLog()
    return globals()[name]
