"""Adapter: Redis. Never in the way: a small bound on every wait, and none at all while it is down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from mpc_api.batches import Batches
from mpc_api.metrics import REDIS_UP

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger("mpc_api")

T = TypeVar("T")

# While Redis is down it is asked this often whether it is back, in seconds.
RETRY_EVERY = 0.5
MAX_CONNECTIONS = 16


class RedisDownError(Exception):
    """Redis did not answer in time, or has not since; whoever needs it does without."""


class RedisLink:
    """The connection to the Redis at `url`; `timeout` in seconds bounds each wait for it.

    The first failure opens the breaker: until a ping in the background succeeds again, every call raises
    RedisDownError at once. So however many calls a request makes, it waits for a slow Redis once at most.
    """

    def __init__(self, url: str, password: str, *, timeout: float) -> None:
        self._url = url
        self._password = password
        self._timeout = timeout
        self._up = False
        self._told_down = False
        self._opening: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._fell = asyncio.Event()
        self._client_there = asyncio.Event()
        self._gets: Batches[str, bytes | None] = Batches(self._get_many)
        self.client: Redis

    def open(self) -> None:
        """Begin to load and to connect, in the background: the import takes longer than the rest of a start."""
        self._opening = asyncio.create_task(self._open())
        self._watch = asyncio.create_task(self._watch_it())

    async def close(self) -> None:
        if self._opening is None or self._watch is None:
            return
        self._watch.cancel()
        await asyncio.wait([self._opening, self._watch])
        await self.client.aclose()

    async def run(self, operation: Callable[[], Awaitable[T]]) -> T:
        """The result of `operation` on Redis; raises RedisDownError after `timeout` seconds at most."""
        if not self._up:
            await self._begun()
        try:
            async with asyncio.timeout(self._timeout):
                return await operation()
        except (self._failures, OSError, TimeoutError) as error:
            self._down(error)
            raise RedisDownError from error

    async def get(self, name: str) -> bytes | None:
        return await self._gets.submit(name)

    async def put(self, name: str, value: bytes, *, seconds: int, lock: str | None = None) -> None:
        """Keep `value` for `seconds`, and give up the claim `lock` after that."""

        async def both() -> None:
            async with self.client.pipeline(transaction=False) as pipe:
                pipe.set(name, value, ex=seconds)
                if lock is not None:
                    pipe.delete(lock)
                await pipe.execute()

        await self.run(both)

    async def claim(self, lock: str, name: str, *, milliseconds: int) -> tuple[bool, bytes | None]:
        """Whether `lock` was free, it is ours then for this long; and what `name` holds after that."""

        async def both() -> list[Any]:
            async with self.client.pipeline(transaction=False) as pipe:
                pipe.set(lock, b"1", nx=True, px=milliseconds)
                pipe.get(name)
                answers: list[Any] = await pipe.execute()
                return answers

        ours, value = await self.run(both)
        return bool(ours), value

    async def keep(self, name: str, *, milliseconds: int) -> None:
        await self.run(lambda: self.client.pexpire(name, milliseconds))

    async def release(self, name: str) -> None:
        await self.run(lambda: self.client.delete(name))

    async def loaded(self) -> None:
        """Wait until `client` is there."""
        await self._client_there.wait()

    async def ping(self) -> bool:
        """Whether Redis answers, asked now; closes the breaker when it does."""
        await self.loaded()
        try:
            async with asyncio.timeout(self._timeout):
                await self.client.ping()
        except (self._failures, OSError, TimeoutError) as error:
            self._down(error)
        else:
            self._back()
        return self._up

    async def _begun(self) -> None:
        if self._opening is not None and not self._opening.done():
            await asyncio.wait([self._opening])  # once, right after the start
        if not self._up:
            raise RedisDownError

    async def _open(self) -> None:
        await asyncio.to_thread(self._load)
        self._client_there.set()
        await self.ping()

    def _load(self) -> None:
        from redis.asyncio import BlockingConnectionPool, Redis  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415

        pool = BlockingConnectionPool.from_url(
            self._url,
            password=self._password or None,
            max_connections=MAX_CONNECTIONS,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
            retry=Retry(NoBackoff(), 0),
        )
        self.client = Redis(connection_pool=pool)

    @property
    def _failures(self) -> type[Exception]:
        from redis import RedisError  # noqa: PLC0415

        return RedisError

    async def _get_many(self, names: list[str]) -> list[bytes | None]:
        found: list[Any] = await self.run(lambda: self.client.mget(names))
        return found

    def _down(self, error: Exception) -> None:
        self._up = False
        REDIS_UP.set(0)
        self._fell.set()
        if not self._told_down:
            self._told_down = True
            log.warning("redis_down", extra={"fields": {"reason": type(error).__name__}})

    def _back(self) -> None:
        self._up = True
        REDIS_UP.set(1)
        if self._told_down:
            self._told_down = False
            log.info("redis_up")

    async def _watch_it(self) -> None:
        while True:
            await self._fell.wait()
            self._fell.clear()
            await asyncio.sleep(RETRY_EVERY)
            await self.ping()
