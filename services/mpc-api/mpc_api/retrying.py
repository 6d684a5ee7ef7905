"""Trying again where it is safe: only failures that say that no model has worked on the request."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from mpc_api.errors import ApiError

TRIES = 3
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0

T = TypeVar("T")


@dataclass
class TransientError(ApiError):
    """Nothing was done; `wait` is the pause in seconds that the other side asks for."""

    wait: float | None = None


def pause(failed: int, wait: float | None, jitter: float) -> float | None:
    """Seconds until the next try after `failed` tries; None: do not try again. `jitter` is from 0 to 1."""
    if failed >= TRIES or (wait is not None and wait > LONGEST_PAUSE):
        return None
    backoff: float = FIRST_PAUSE * 2 ** (failed - 1)
    return (wait or 0.0) + backoff * (0.5 + jitter / 2)


async def retrying(ask: Callable[[], Awaitable[T]], *, deadline: float) -> T:
    """The first success of `ask`; never waits beyond `deadline` (the loop's clock). Raises its last ApiError."""
    failed = 0
    while True:
        try:
            return await ask()
        except TransientError as error:
            failed += 1
            seconds = pause(failed, error.wait, random.random())  # noqa: S311  # jitter
            if seconds is None or asyncio.get_running_loop().time() + seconds >= deadline:
                raise
            await asyncio.sleep(seconds)
