"""Following a changing set of containers, with the engine coming and going."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from aiinfra.engine import Container, Follower, Line, Notice, in_order, stamped
from aiinfra.errors import AiinfraError, Code
from tests.unit.test_health import container

STOPPED = AiinfraError(Code.DOCKER_STOPPED, "no Docker engine answers")


class Log:
    """A log that ends after its lines, or when it is closed."""

    def __init__(self, *numbers: int, stays: bool = True) -> None:
        self._numbers = numbers
        self._closed = threading.Event()
        if not stays:
            self._closed.set()

    def __iter__(self) -> Iterator[bytes]:
        for number in self._numbers:
            yield f"2026-11-28T19:41:33.{number:09}Z line {number}".encode()
        self._closed.wait()

    def close(self) -> None:
        self._closed.set()


class Engine:
    """Lists what it is told to list, one answer a look, the last one for ever; notes what was opened."""

    def __init__(self, *answers: list[Container] | AiinfraError, logs: dict[str, list[Log]]) -> None:
        self._answers = list(answers)
        self._logs = logs
        self.opened: list[tuple[str, str | None]] = []

    def look(self) -> list[Container]:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, AiinfraError):
            raise answer
        return answer

    def read(self, one: Container, since: str | None) -> Log:
        self.opened.append((one.name, since))
        return self._logs[one.id].pop(0)


def texts(engine: Engine, count: int) -> list[str]:
    with closing(Follower(engine.look, engine.read).follow({})) as lines:
        found = [next(lines) for _ in range(count)]
    return [one.text for one in found]


def test_a_container_that_joins_is_followed_from_its_first_line() -> None:
    logs = {"id1": [Log(1)], "id2": [Log(2)]}
    engine = Engine([container(1)], [container(1), container(2)], logs=logs)
    assert texts(engine, 2) == ["line 1", "line 2"]


def test_a_container_that_comes_back_goes_on_after_the_last_line_that_was_shown() -> None:
    engine = Engine([container(1)], logs={"id1": [Log(1, 2, stays=False), Log(2, 3)]})
    assert texts(engine, 3) == ["line 1", "line 2", "line 3"]
    assert engine.opened == [("s-mpc-api-1", None), ("s-mpc-api-1", "2026-11-28T19:41:33.000000002Z")]


def test_a_line_that_comes_after_a_later_one_is_not_lost() -> None:
    engine = Engine([container(1)], logs={"id1": [Log(1, 3, 2, stays=False), Log(3, 4)]})
    assert texts(engine, 4) == ["line 1", "line 3", "line 2", "line 4"]
    assert engine.opened[1] == ("s-mpc-api-1", "2026-11-28T19:41:33.000000003Z")


def test_what_was_written_before_is_put_in_the_order_of_time() -> None:
    log = [*stamped(Log(1, 3, 2, *range(4, 300), 299, 298, stays=False))]
    assert [text for _, text in in_order(log)] == [f"line {number}" for number in sorted([*range(1, 300), 298, 299])]


def test_what_was_read_is_shown_although_the_rest_cannot_be() -> None:
    def broken() -> Iterator[bytes]:
        yield from Log(2, 1, stays=False)
        raise STOPPED

    shown = in_order(stamped(broken()))
    assert [next(shown)[1], next(shown)[1]] == ["line 1", "line 2"]
    with pytest.raises(AiinfraError):
        next(shown)


def test_an_engine_that_stops_and_returns_is_told_and_followed_on() -> None:
    logs = {"id1": [Log(1, stays=False), Log(2)]}
    engine = Engine([container(1)], STOPPED, STOPPED, [container(1)], logs=logs)
    assert texts(engine, 4) == [
        "line 1",
        "no Docker engine answers; following goes on when it is back",
        "the Docker engine answers again; following goes on",
        "line 2",
    ]


def test_an_engine_that_stays_away_ends_it_with_its_error() -> None:
    engine = Engine([container(1)], STOPPED, logs={"id1": [Log(1, stays=False)]})
    found: list[Line | Notice] = []
    with (
        pytest.raises(AiinfraError) as caught,
        closing(Follower(engine.look, engine.read, patience=0.0).follow({})) as lines,
    ):
        found.extend(lines)
    assert caught.value is STOPPED
    assert [type(one) for one in found] == [Line, Notice]
