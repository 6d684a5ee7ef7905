"""Requests and tokens per minute and key, counted in Redis; per process while Redis is down."""

import asyncio
import gc
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mpc_api.batches import Batches
from mpc_api.errors import ApiError, Code
from mpc_api.keys import Key
from mpc_api.redis_link import RedisDownError, RedisLink

if TYPE_CHECKING:
    from limits.aio.storage import MemoryStorage, RedisStorage

WINDOW = 60


@dataclass(frozen=True)
class Standing:
    """How one quota of a key stands after this request: `used` of `limit`, `left` seconds to go."""

    quota: str
    limit: int
    used: int
    left: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def headers(self) -> dict[str, str]:
        """draft-ietf-httpapi-ratelimit-headers-11, and the three fields of its versions up to 06.

        https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
        """
        return {
            "RateLimit-Policy": f'"{self.quota}";q={self.limit};w={WINDOW}',
            "RateLimit": f'"{self.quota}";r={self.remaining};t={self.left}',
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.left),
        }

    def refusal(self) -> ApiError:
        details = {"quota": self.quota, "limit": self.limit, "windowSeconds": WINDOW, "retryAfterSeconds": self.left}
        message = f"This key may use {self.limit} {self.quota} a minute"
        headers = {"Retry-After": str(self.left), **self.headers()}
        return ApiError(Code.RATE_LIMIT_EXCEEDED, message, details, headers)


def counted(names: list[str], totals: Mapping[str, int]) -> list[int]:
    """The value that each of `names`, counted one after the other, left; `totals` are those after all of them."""
    left = {name: total - names.count(name) for name, total in totals.items()}
    values = []
    for name in names:
        left[name] += 1
        values.append(left[name])
    return values


class Quotas:
    """Counts windows of a minute by the clock; all processes with the same Redis share the counts."""

    def __init__(self, link: RedisLink | None) -> None:
        self._link = link
        self._increments: Batches[str, int] = Batches(self._increment_all)
        # The window in which a key used up its requests: no need to ask Redis again.
        self._exhausted: dict[str, int] = {}
        self._loading: asyncio.Future[None] | None = None
        self._shared: RedisStorage | None = None
        self._own: MemoryStorage

    async def admit(self, key: Key) -> Standing | None:
        """Count one request of `key`; None where it has no limit. Raises ApiError RATE_LIMIT_EXCEEDED."""
        limit = key.quota.requests
        if limit is None:
            return None
        window, left = _window()
        if self._exhausted.get(key.name) == window:
            raise Standing("requests", limit, limit, left).refusal()
        used = await self._increments.submit(f"requests:{key.name}:{window}")
        standing = Standing("requests", limit, used, left)
        if used > limit:
            self._exhausted[key.name] = window
            raise standing.refusal()
        return standing

    async def admit_tokens(self, key: Key) -> None:
        """Raise ApiError RATE_LIMIT_EXCEEDED when the minute's tokens of `key` are used up.

        What a request will take is not known before it is answered: the last one admitted may go over.
        """
        limit = key.quota.tokens
        if limit is None:
            return
        window, left = _window()
        used = await self._read(f"tokens:{key.name}:{window}")
        if used >= limit:
            raise Standing("tokens", limit, used, left).refusal()

    async def spend(self, key: Key, tokens: int) -> None:
        """Count what an answer took."""
        if key.quota.tokens is not None and tokens > 0:
            await self._increment(f"tokens:{key.name}:{_window()[0]}", tokens)

    async def _increment_all(self, names: list[str]) -> list[int]:
        totals = {name: await self._increment(name, names.count(name)) for name in dict.fromkeys(names)}
        return counted(names, totals)

    async def _increment(self, name: str, amount: int) -> int:
        await self._loaded()
        if self._link is not None and self._shared is not None:
            shared = self._shared
            try:
                return await self._link.run(lambda: shared.incr(name, WINDOW * 2, amount))
            except RedisDownError:
                pass
        return await self._own.incr(name, WINDOW * 2, amount)

    async def _read(self, name: str) -> int:
        await self._loaded()
        if self._link is not None and self._shared is not None:
            shared = self._shared
            try:
                return await self._link.run(lambda: shared.get(name))
            except RedisDownError:
                pass
        return await self._own.get(name)

    async def _loaded(self) -> None:
        """Import on first use: most services have no limits and should not carry the library."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._load())
        await asyncio.shield(self._loading)

    async def _load(self) -> None:
        def imports() -> "tuple[type[MemoryStorage], type[RedisStorage]]":
            from limits.aio.storage import MemoryStorage, RedisStorage  # noqa: PLC0415

            return MemoryStorage, RedisStorage

        own, shared = await asyncio.to_thread(imports)
        gc.freeze()  # as after the start
        self._own = own()
        if self._link is not None:
            await self._link.loaded()
            pool: Any = self._link.client.connection_pool  # they say text or number, and mean options
            # The pool has the address; this one is only parsed.
            self._shared = shared(
                "async+redis://redis:6379", implementation="redispy", key_prefix="mpc:limits", connection_pool=pool
            )


def _window() -> tuple[int, int]:
    """The number of the running window, and the whole seconds until it ends."""
    now = time.time()
    number = int(now // WINDOW)
    return number, math.ceil((number + 1) * WINDOW - now) or 1
