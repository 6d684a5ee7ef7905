"""The log of a container, line by line with the engine's own times."""

import heapq
import re
from collections.abc import Iterable, Iterator

from aiinfra.engine.command import Stream
from aiinfra.engine.container import Container
from aiinfra.errors import AiinfraError

# RFC 3339 with nine digits, always UTC: such times sort as text.
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) ?")
# The engine keeps longer lines in pieces of this many bytes, and puts a time before each (moby, copier.go).
_PIECE = 16384

# How many lines the two outputs of one container may be apart in its log.
_APART = 100


def open_log(
    container: Container, *, tail: int | None = None, since: str = "", until: str = "", follow: bool = False
) -> Stream:
    """Open a container's log, both of its streams. `tail` counts lines from the end, None means all of them."""
    options = ["--timestamps", "--tail", "all" if tail is None else str(tail)]
    options += [f"--since={since}"] if since else []
    options += [f"--until={until}"] if until else []
    options += ["--follow"] if follow else []
    return Stream(["docker", "logs", *options, container.id])


def stamped(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Yield (time, text) of each line. What has no time is not from the container."""
    for raw in lines:
        if found := _STAMP.match(raw):
            yield found[1].decode(), _whole(raw, found.end()).decode("utf-8", "replace")


def in_order(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Put (time, text) of one log in the order of time: the engine takes a container's two outputs side by side."""
    waiting: list[tuple[str, int, str]] = []
    try:
        for number, (time, text) in enumerate(lines):
            heapq.heappush(waiting, (time, number, text))
            if len(waiting) > _APART:
                first = heapq.heappop(waiting)
                yield first[0], first[2]
    except AiinfraError:
        # What was read is shown, also where the rest cannot be.
        yield from ((time, text) for time, _, text in sorted(waiting))
        raise
    yield from ((time, text) for time, _, text in sorted(waiting))


def _whole(raw: bytes, start: int) -> bytes:
    pieces = []
    while True:
        pieces.append(raw[start : start + _PIECE])
        following = _STAMP.match(raw, start + _PIECE)
        if following is None:
            return b"".join((*pieces, raw[start + _PIECE :]))
        start = following.end()
