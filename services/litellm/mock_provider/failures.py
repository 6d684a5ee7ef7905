"""The models that fail, each in one way a real provider fails."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """An HTTP status in the place of an answer, and the headers a provider would send with it."""

    status: int
    message: str
    headers: tuple[tuple[str, str], ...] = ()


_ON_PURPOSE = "the mock provider fails on purpose"
FAILURES = {
    "rate-limit": Failure(429, f"mock/rate-limit: {_ON_PURPOSE}: too many requests", (("retry-after", "1"),)),
    "timeout": Failure(408, f"mock/timeout: {_ON_PURPOSE}: no answer in time"),
    "server-error": Failure(500, f"mock/server-error: {_ON_PURPOSE}: internal error"),
}
GARBAGE = "garbage"
SLOW = "slow"


def garbled(text: str) -> str:
    """A text as it arrives when everything goes wrong: cut short, decoded with the wrong table, never valid JSON."""
    cut = text[: len(text) * 2 // 3]
    wrong = f"{cut} \u2013 \u201cnaïve\u201d".encode().decode("cp1252", errors="replace")
    return f"mock/garbage: {_ON_PURPOSE}: {wrong}\ufffd\ufffd{{[,"
