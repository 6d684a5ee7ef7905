"""Whether the dependencies can be reached, asked at most once a second however many want to know."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import httpx2

from mpc_api.redis_link import RedisLink

Status = Literal["healthy", "degraded", "unhealthy"]

TIMEOUT = 2.0
FRESH = 1.0

# What a proxy in front of the gateway says when nothing is behind it.
_NOBODY_THERE = frozenset({502, 503, 504})


@dataclass(frozen=True)
class Look:
    """One look at a dependency; `taken` is on the monotonic clock."""

    status: Status
    latency_ms: float
    taken: float


class Looks:
    """Looks at one dependency through `take`; concurrent callers share a look, and it counts for `FRESH` seconds."""

    def __init__(self, take: Callable[[], Awaitable[Status]]) -> None:
        self._take_status = take
        self._latest: Look | None = None
        self._looking: asyncio.Task[Look] | None = None

    async def look(self) -> Look:
        """The latest look, at most `FRESH` seconds old; never raises."""
        if self._latest is not None and time.monotonic() - self._latest.taken < FRESH:
            return self._latest
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._take())
        return await asyncio.shield(self._looking)

    async def _take(self) -> Look:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT):
                status = await self._take_status()
        except TimeoutError:
            status = "unhealthy"
        ended = time.monotonic()
        self._latest = Look(status, round((ended - begun) * 1000, 1), ended)
        return self._latest


def looks(http: httpx2.AsyncClient, gateway_url: str, link: RedisLink | None) -> dict[str, Looks]:
    """A way to look at each dependency, by its name; none of them makes a model call."""

    async def litellm() -> Status:
        try:
            response = await http.get(f"{gateway_url}/health/readiness")
        except httpx2.HTTPError:
            return "unhealthy"
        return _status(response.status_code)

    found = {"litellm": Looks(litellm)}
    if link is not None:
        known = link

        async def redis() -> Status:
            return "healthy" if await known.ping() else "unhealthy"

        found["redis"] = Looks(redis)
    return found


def _status(code: int) -> Status:
    if code in _NOBODY_THERE:
        return "unhealthy"
    return "healthy" if code == 200 else "degraded"  # noqa: PLR2004


def overall(statuses: Mapping[str, Status]) -> Status:
    """Without the gateway nothing works; without Redis everything does, a little worse."""
    if statuses["litellm"] == "unhealthy":
        return "unhealthy"
    return "healthy" if all(status == "healthy" for status in statuses.values()) else "degraded"
