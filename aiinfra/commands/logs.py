"""`logs`: what the services wrote, in the order of time."""

import heapq
import re
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from aiinfra.engine import Container, Engine, Follower, Line, Notice, in_order, open_log, stamped
from aiinfra.errors import AiinfraError, Code
from aiinfra.loglines import Entry, Sieve, cleaned, entry
from aiinfra.stack import SERVICES
from aiinfra.target import Target


@dataclass(frozen=True)
class Query:
    """Which lines. `tail` counts from the end of each container's (None: all); times are RFC 3339 or ""."""

    services: Sequence[str] = ()
    follow: bool = False
    tail: int | None = None
    since: str = ""
    until: str = ""
    level: str | None = None
    pattern: re.Pattern[str] | None = None
    raw: bool = False


@dataclass(frozen=True)
class LogLine:
    """One line. `time` is when the engine took it, in UTC; `text` is the line itself, `message` what it says.

    `level` is "" where it has none, `fields` what else a JSON line holds.
    """

    time: str
    service: str
    container: str
    level: str
    request_id: str
    message: str
    fields: Mapping[str, Any]
    text: str


def logs(target: Target, query: Query, *, engine: Engine) -> Generator[LogLine | Notice, None, None]:
    """Yield lines in the order of time; when following, also Notices about the engine.

    Raises NOT_RUNNING when there is no container to read.
    """
    containers = _containers(target, query.services, engine)
    sieve = Sieve(query.level, query.pattern)
    seen: dict[str, str | None] = dict.fromkeys(one.id for one in containers)
    if query.tail != 0:
        with closing(_past(containers, query, sieve, seen)) as past:
            yield from past
    if not query.follow:
        return
    follower = Follower(
        partial(_wanted, target, query.services, engine),
        partial(_opened, {one.id for one in containers} if query.tail == 0 else set()),
    )
    with closing(follower.follow(seen)) as lines:
        for one in lines:
            if isinstance(one, Notice):
                yield one
            elif line := _read(one, query, sieve):
                yield line


def _containers(target: Target, services: Sequence[str], engine: Engine) -> list[Container]:
    everything = engine.containers(target.name)
    target.refuse_elsewhere(everything)
    if not everything:
        raise AiinfraError(
            Code.NOT_RUNNING, f"the stack '{target.name}' has no containers", hint="start it: `aiinfra up`"
        )
    found = [one for one in everything if one.service in (services or SERVICES)]
    absent = [name for name in services if name not in {one.service for one in found}]
    if absent:
        raise AiinfraError(Code.NOT_RUNNING, f"{absent[0]} has no container", hint="start it: `aiinfra up`")
    return found


def _wanted(target: Target, services: Sequence[str], engine: Engine) -> list[Container]:
    return [one for one in engine.containers(target.name) if one.service in (services or SERVICES)]


def _past(
    containers: Sequence[Container], query: Query, sieve: Sieve, seen: dict[str, str | None]
) -> Generator[LogLine, None, None]:
    """Yield what was written until now, and note in `seen` the time of each container's last line."""
    with ExitStack() as stack:
        streams = []
        for one in containers:
            # Lines from the end are those that were asked for, so what is not is counted out first.
            tail = query.tail if sieve.open else None
            log = stack.enter_context(closing(open_log(one, tail=tail, since=query.since, until=query.until)))
            streams.append(_lines(one, in_order(stamped(log)), query, sieve, seen))
        yield from heapq.merge(*streams, key=attrgetter("time"))


def _lines(
    container: Container, log: Iterator[tuple[str, str]], query: Query, sieve: Sieve, seen: dict[str, str | None]
) -> Iterator[LogLine]:
    kept: deque[LogLine] = deque(maxlen=query.tail)
    late = query.tail is not None and not sieve.open
    for time, text in log:
        seen[container.id] = time
        line = _read(Line(container, time, text), query, sieve)
        if line and late:
            kept.append(line)
        elif line:
            yield line
    yield from kept


def _opened(from_now: set[str], container: Container, since: str | None) -> Any:  # noqa: ANN401
    if since is None and container.id in from_now:
        # Its past was not asked for. If it is opened again, it is for what came since.
        from_now.discard(container.id)
        return open_log(container, tail=0, follow=True)
    return open_log(container, since=since or "", follow=True)


def _read(line: Line, query: Query, sieve: Sieve) -> LogLine | None:
    text = line.text if query.raw else cleaned(line.text)
    one = entry(text if text.startswith("{") else cleaned(text))
    if not sieve.passes(line.container.id, one, text):
        return None
    return _log_line(line, one, text)


def _log_line(line: Line, one: Entry, text: str) -> LogLine:
    container = line.container
    return LogLine(
        line.time, container.service, container.name, one.level, one.request_id, one.message, one.fields, text
    )
