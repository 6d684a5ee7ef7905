"""Following what containers write, also those that come later and those that come back."""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from aiinfra.engine.container import Container
from aiinfra.engine.logs import stamped
from aiinfra.errors import AiinfraError, Code

# Seconds between two looks at which containers there are.
_LOOK = 1.0


class Log(Protocol):
    """The lines of one container as the engine writes them; any thread may close it."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class Line(NamedTuple):
    """One line of a container's log; `time` is the engine's, RFC 3339 in UTC with nine digits, so it sorts as text."""

    container: Container
    time: str
    text: str


@dataclass(frozen=True)
class Notice:
    """Something that a follower should know about what he follows."""

    text: str


class Follower:
    """Follows a changing set of containers.

    `look` returns the containers there are, `read` opens the log of one from a time on (None: from its start).
    `patience` is in seconds: so long may an engine that stopped take to come back.
    """

    def __init__(
        self,
        look: Callable[[], Iterable[Container]],
        read: Callable[[Container, str | None], Log],
        patience: float = 60.0,
    ) -> None:
        self._look = look
        self._read = read
        self._patience = patience
        self._gone: float | None = None
        self._lines: queue.SimpleQueue[Line | str] = queue.SimpleQueue()
        self._open: dict[str, Log] = {}
        self._last: dict[str, str | None] = {}
        # By container, the last line known when its log was opened: that log begins with it again.
        self._known: dict[str, str | None] = {}

    def follow(self, seen: dict[str, str | None]) -> Generator[Line | Notice, None, None]:
        """Yield lines as they come. `seen` is, by container, the time of the last line that is known already.

        Raises AiinfraError when the engine stays away for longer than `patience`.
        """
        self._last = dict(seen)
        looked = 0.0
        try:
            while True:
                if time.monotonic() - looked >= _LOOK:
                    yield from self._look_again()
                    looked = time.monotonic()
                with suppress(queue.Empty):
                    yield from self._take(self._lines.get(timeout=_LOOK / 4))
        finally:
            for one in list(self._open.values()):
                one.close()

    def _look_again(self) -> Generator[Notice, None, None]:
        """Attach to containers that came; says when the engine goes and when it is back."""
        try:
            self._attach(self._look())
        except AiinfraError as error:
            away = 0.0 if self._gone is None else time.monotonic() - self._gone
            if error.code is not Code.DOCKER_STOPPED or away > self._patience:
                raise
            if self._gone is None:
                self._gone = time.monotonic()
                yield Notice(f"{error.message}; following goes on when it is back")
            return
        if self._gone is not None:
            self._gone = None
            yield Notice("the Docker engine answers again; following goes on")

    def _take(self, item: Line | str) -> Generator[Line, None, None]:
        if isinstance(item, str):
            self._open.pop(item, None)
            return
        # The engine takes the two outputs of a container beside each other: a line may come after a later one.
        name = item.container.id
        if item.time > (self._known[name] or ""):
            self._last[name] = max(item.time, self._last.get(name) or "")
            yield item

    def _attach(self, containers: Iterable[Container]) -> None:
        for one in containers:
            if one.running and one.id not in self._open:
                known = self._known[one.id] = self._last.get(one.id)
                opened = self._open[one.id] = self._read(one, known)
                threading.Thread(target=self._pump, args=(one, opened), daemon=True).start()

    def _pump(self, container: Container, opened: Log) -> None:
        with suppress(AiinfraError, OSError, ValueError):
            for time_, text in stamped(opened):
                self._lines.put(Line(container, time_, text))
        self._lines.put(container.id)
