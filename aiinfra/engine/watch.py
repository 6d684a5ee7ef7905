"""Around everything that python-on-whales does: its failures in our words, and an end to an engine that hangs."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

from aiinfra.engine.command import TIMEOUT, hung, run
from aiinfra.engine.refusals import no_docker, refusal
from aiinfra.errors import Code

# Seconds between two questions. A build may take an hour; the engine answers others meanwhile.
_INTERVAL = 10.0

# Seconds that a change of containers may take, even where the engine answers others.
CHANGE = 300.0


@contextmanager
def translated(
    fallback: Code = Code.DOCKER_REFUSED, log: Callable[[], str] = str, *, limit: float | None = None
) -> Iterator[None]:
    """Translate what python-on-whales raises; `log` returns the lines that a build wrote.

    Raises AiinfraError (DOCKER_STOPPED) when the engine does not answer any more, and after `limit` seconds.
    """
    from python_on_whales.client_config import ClientNotFoundError  # noqa: PLC0415 - loaded by then
    from python_on_whales.exceptions import DockerException  # noqa: PLC0415

    try:
        with _watched(limit):
            yield
    except (ClientNotFoundError, FileNotFoundError) as error:
        raise no_docker() from error
    except DockerException as error:
        raise refusal(error.stderr or "", fallback, log()) from error


@contextmanager
def _watched(limit: float | None) -> Iterator[None]:
    """Raise AiinfraError (DOCKER_STOPPED) in the main thread when the engine answers nobody any more.

    python-on-whales has no time limits; `limit` is one, in seconds.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interval = _INTERVAL if limit is None else min(_INTERVAL, limit)
    before = signal.signal(signal.SIGALRM, partial(_ask, limit, time.monotonic(), interval))
    signal.setitimer(signal.ITIMER_REAL, interval, interval)
    try:
        yield
    finally:
        # A late alarm must neither ask nor wind the timer up again.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ask(limit: float | None, began: float, interval: float, _number: int, _frame: FrameType | None) -> None:
    # An alarm while this one still waits would ask again inside of it, for ever.
    signal.setitimer(signal.ITIMER_REAL, 0)
    if limit is not None and time.monotonic() - began >= limit:
        raise hung(limit)
    try:
        run(["docker", "version", "--format", "{{.Server.Version}}"], timeout=TIMEOUT)
    except TimeoutError as error:
        raise hung(TIMEOUT) from error
    signal.setitimer(signal.ITIMER_REAL, interval, interval)
