"""What an interrupted swap made, told by ids alone."""

import pytest

from aiinfra.commands.recover import made
from aiinfra.engine import Container
from aiinfra.journal import Entry
from tests.unit.test_generations import seen

OLD, NEW = seen("healthy", "old"), seen("starting", "new")


@pytest.mark.parametrize("step", ["begun", "attach", "drain"])
def test_what_was_not_there_before_was_made_whatever_it_is_called(step: str) -> None:
    entry = Entry("redis", step, (OLD.id,), NEW.id, OLD.id)  # type: ignore[arg-type]
    assert names([*made(entry, [OLD, NEW])]) == [NEW.id]
    assert OLD.name == NEW.name
    assert made(entry, [OLD]) == []


def test_where_all_that_was_there_is_gone_nothing_more_is_taken_away() -> None:
    assert made(Entry("redis", "begun", (OLD.id,)), [NEW]) == []


def test_what_was_replaced_in_place_is_all_there_is() -> None:
    assert made(Entry("redis", "held", (), "", OLD.id), [NEW]) == []


def names(containers: list[Container]) -> list[str]:
    return [one.id for one in containers]
