"""Adapter: whether the gateway can be reached, asked at most once a second however many want to know."""

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

import httpx2

Status = Literal["healthy", "degraded", "unhealthy"]

TIMEOUT = 2.0
FRESH = 1.0

# What a proxy in front of the gateway says when nothing is behind it.
_NOBODY_THERE = frozenset({502, 503, 504})


@dataclass(frozen=True)
class Look:
    """One look at the gateway; `taken` is on the monotonic clock."""

    status: Status
    latency_ms: float
    taken: float


class GatewayHealth:
    """Looks at the gateway's readiness; never raises, never makes a model call."""

    def __init__(self, http: httpx2.AsyncClient, gateway_url: str) -> None:
        self._http = http
        self._url = f"{gateway_url}/health/readiness"
        self._latest: Look | None = None
        self._looking: asyncio.Task[Look] | None = None

    async def look(self) -> Look:
        """The latest look, at most `FRESH` seconds old; concurrent callers share one request."""
        if self._latest is not None and time.monotonic() - self._latest.taken < FRESH:
            return self._latest
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._take())
        return await asyncio.shield(self._looking)

    async def _take(self) -> Look:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT):
                response = await self._http.get(self._url)
            status = _status(response.status_code)
        except (httpx2.HTTPError, TimeoutError):
            status = "unhealthy"
        ended = time.monotonic()
        self._latest = Look(status, round((ended - begun) * 1000, 1), ended)
        return self._latest


def _status(code: int) -> Status:
    if code in _NOBODY_THERE:
        return "unhealthy"
    return "healthy" if code == 200 else "degraded"  # noqa: PLR2004
