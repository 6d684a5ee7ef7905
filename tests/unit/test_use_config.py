"""What `history` says of a provider config that was undone."""

from dataclasses import replace
from pathlib import Path

import pytest

from aiinfra import generations
from aiinfra.commands.history import history
from aiinfra.commands.use_config import Use, mark_failed
from aiinfra.state import State
from aiinfra.target import Target
from tests.conftest import FIXED_IDENTITY
from tests.unit.test_generations import ONE


@pytest.fixture(name="target")
def _target(tmp_path: Path) -> Target:
    """A stack in which `mock` was healthy, and `other` after it."""
    target = Target(tmp_path, "demo")
    target.workspace.prepare()
    generations.save(target.workspace, ONE)
    generations.save(target.workspace, replace(ONE, number=2, provider_config="other"))
    target.workspace.save(State(FIXED_IDENTITY, generation=2, healthy=True))
    return target


def use(name: str, before: str) -> Use:
    return Use(name, before, None, True, ())


def healthy(target: Target) -> dict[int, bool]:
    return {row.number: row.healthy for row in history(target).generations}


def test_one_that_did_not_do_what_it_says_is_failed(target: Target) -> None:
    mark_failed(target, use("other", "mock"))
    assert healthy(target) == {1: True, 2: False}


def test_one_that_served_before_stays_healthy(target: Target) -> None:
    mark_failed(target, use("other", "other"))
    mark_failed(target, use("mock", "other"))
    assert healthy(target) == {1: True, 2: True}


def test_a_folder_that_takes_no_note_of_it_stops_nobody_from_going_back(target: Target) -> None:
    target.workspace.state_file.write_text("damaged")
    mark_failed(target, use("other", "mock"))
    assert {one.number: one.healthy for one in generations.load(target.workspace)} == {1: True, 2: True}
