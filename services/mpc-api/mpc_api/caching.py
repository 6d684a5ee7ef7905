"""Around a generation: answers kept for identical requests, one generation at a time for each, tokens counted."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace

from mpc_api.answers import Answer
from mpc_api.errors import ApiError, Code
from mpc_api.flights import Flights
from mpc_api.generation import Call, Generate
from mpc_api.inputs import Input
from mpc_api.keys import Key
from mpc_api.kinds import AnyKind
from mpc_api.metrics import CACHE, TOKENS
from mpc_api.quotas import Quotas
from mpc_api.records import body, name_of, pack, unpack
from mpc_api.redis_link import RedisDownError, RedisLink

# Another process that generates the same answer holds it this long at a time: when it dies, others go on.
LEASE_MS = 3000
RENEW_EVERY = 1.0
LOOK_EVERY = 0.05
# A generation keeps its deadline itself; whoever waits for it gives it this long to say so, in seconds.
GRACE = 0.5
# Whoever waits for an answer has sent it this many turns of the event loop later: keeping it comes after that,
# where the claim tells those who ask meanwhile that it will come.
TURNS = 3

# The name that this request has looked for already.
_LOOKED: ContextVar[str | None] = ContextVar("looked", default=None)


def wishes(cache_control: bytes) -> tuple[bool, bool]:
    """Whether a request with this Cache-Control may be answered from the cache, and whether it may leave a trace."""
    directives = {one.strip().lower() for one in cache_control.split(b",")}
    if b"no-store" in directives:
        return False, False
    return directives.isdisjoint({b"no-cache", b"max-age=0"}), True


class Cached:
    """Generates like `generate` does, but identical requests share an answer for `seconds`; 0 shares none.

    With `link` the answers, and the claim to generate one, are shared by all processes with that Redis.
    """

    def __init__(
        self,
        generate: Generate,
        model: Callable[[AnyKind], str],
        *,
        link: RedisLink | None,
        quotas: Quotas,
        seconds: int,
    ) -> None:
        self._generate = generate
        self._model = model
        self._link = link
        self._quotas = quotas
        self._seconds = seconds
        self._flights: Flights[Answer] = Flights()
        self._settling: set[asyncio.Task[None]] = set()

    async def generate(self, kind: AnyKind, wanted: Input, call: Call) -> Answer:
        """An answer, from the cache if `call` wants one; raises ApiError."""
        if not (self._seconds and call.writes_cache and call.reads_cache):
            CACHE.labels("bypassed").inc()
            answer = await self._paid(kind, wanted, call)
            if self._seconds and call.writes_cache:
                self._settle(kind, self._name(kind, wanted), answer, claimed=False)
            return answer
        name = self._name(kind, wanted)
        begun = time.perf_counter()
        if _LOOKED.get() != name and (record := await self._read(name)) is not None:
            CACHE.labels("hit").inc()
            return unpack(kind, record, _milliseconds(begun))
        if call.tell is not None:
            # Its parts go to one caller only: it neither waits for others nor lets them wait.
            CACHE.labels("miss").inc()
            answer = await self._paid(kind, wanted, call)
            self._settle(kind, name, answer, claimed=False)
            return answer
        return await self._shared(kind, wanted, call, name)

    async def stored(self, kind: AnyKind, wanted: Input, begun: float) -> bytes | None:
        """The whole answer to `wanted`, as JSON, where one is kept; `begun` is on the performance counter."""
        if not self._seconds or self._link is None:
            return None
        name = self._name(kind, wanted)
        _LOOKED.set(name)
        record = await self._read(name)
        if record is None:
            return None
        CACHE.labels("hit").inc()
        return body(record, _milliseconds(begun))

    async def settled(self) -> None:
        """Wait until everything that is to be kept is."""
        if self._settling:
            await asyncio.wait(self._settling)

    def _name(self, kind: AnyKind, wanted: Input) -> str:
        return name_of(kind, self._model(kind), wanted)

    async def _read(self, name: str) -> bytes | None:
        if self._link is None:
            return None
        try:
            return await self._link.get(name)
        except RedisDownError:
            return None

    async def _shared(self, kind: AnyKind, wanted: Input, call: Call, name: str) -> Answer:
        begun = time.perf_counter()
        while True:
            joins = self._flights.under_way(name)
            try:
                async with asyncio.timeout_at(call.deadline + GRACE):
                    answer = await self._flights.join(name, lambda: self._claimed(kind, wanted, call, name))
            except TimeoutError as error:
                raise ApiError(Code.GATEWAY_TIMEOUT, "The model did not answer in time") from error
            except ApiError as error:
                if joins and error.code is Code.GATEWAY_TIMEOUT and _left(call) > GRACE:
                    continue  # that was the deadline of whoever began
                raise replace(error) from error
            CACHE.labels("joined" if joins else "miss").inc()
            return _shared_answer(answer, _milliseconds(begun)) if joins else answer

    async def _claimed(self, kind: AnyKind, wanted: Input, call: Call, name: str) -> Answer:
        """Generate, unless another process does already: then wait for what it keeps."""
        if self._link is None:
            return await self._paid(kind, wanted, call)
        begun = time.perf_counter()
        lock = f"{name}:claim"
        try:
            while True:
                ours, record = await self._link.claim(lock, name, milliseconds=LEASE_MS)
                if record is not None:
                    if ours:
                        await self._link.release(lock)
                    return unpack(kind, record, _milliseconds(begun))
                if ours:
                    break
                await asyncio.sleep(LOOK_EVERY)
        except RedisDownError:
            return await self._paid(kind, wanted, call)
        renewing = asyncio.create_task(self._renew(lock))
        answer = None
        try:
            answer = await self._paid(kind, wanted, call)
        finally:
            renewing.cancel()
            self._settle(kind, name, answer, claimed=True)
        return answer

    async def _paid(self, kind: AnyKind, wanted: Input, call: Call) -> Answer:
        key = call.identity if isinstance(call.identity, Key) else None
        if key is not None:
            await self._quotas.admit_tokens(key)
        answer = await self._generate(kind, wanted, call)
        usage = answer.usage
        who = key.name if key is not None else ""
        TOKENS.labels(who, usage.model, "prompt").inc(usage.prompt_tokens)
        TOKENS.labels(who, usage.model, "completion").inc(usage.completion_tokens)
        if key is not None:
            await self._quotas.spend(key, usage.prompt_tokens + usage.completion_tokens)
        return answer

    async def _renew(self, lock: str) -> None:
        while self._link is not None:
            await asyncio.sleep(RENEW_EVERY)
            with suppress(RedisDownError):
                await self._link.keep(lock, milliseconds=LEASE_MS)

    def _settle(self, kind: AnyKind, name: str, answer: Answer | None, *, claimed: bool) -> None:
        """Keep an answer and give up the claim, without letting the caller wait for it."""
        if self._link is None:
            return
        task = asyncio.create_task(self._put(self._link, kind, name, answer, claimed=claimed))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _put(self, link: RedisLink, kind: AnyKind, name: str, answer: Answer | None, *, claimed: bool) -> None:
        lock = f"{name}:claim" if claimed else None
        for _ in range(TURNS if claimed else 0):
            await asyncio.sleep(0)
        with suppress(RedisDownError):
            if answer is not None:
                await link.put(name, pack(kind, answer), seconds=self._seconds, lock=lock)
            elif lock is not None:
                await link.release(lock)


def _left(call: Call) -> float:
    return call.deadline - asyncio.get_running_loop().time()


def _shared_answer(answer: Answer, milliseconds: int) -> Answer:
    usage = answer.usage.model_copy(update={"cached": True, "milliseconds": milliseconds})
    return answer.model_copy(update={"usage": usage})


def _milliseconds(begun: float) -> int:
    return round((time.perf_counter() - begun) * 1000)
