"""Files of the stack directory, cut or garbled: each is named, or is as if it were not there; nothing is touched."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiinfra import generations, state
from aiinfra.errors import AiinfraError
from aiinfra.generations import Generation
from aiinfra.journal import Entry, Journal
from aiinfra.state import State
from aiinfra.workspace import Workspace
from tests.conftest import FIXED_IDENTITY, write_keys
from tests.unit.test_cli import aiinfra, envelope
from tests.unit.test_generations import ONE

NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=100
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def damaged(text: str) -> st.SearchStrategy[bytes]:
    """A file that was cut, that has other bytes somewhere, or another value under one of its names."""
    whole, data = text.encode(), json.loads(text)
    cut = st.integers(0, len(whole) - 2).map(lambda end: whole[:end])
    garbled = st.tuples(st.integers(0, len(whole)), st.binary(min_size=1, max_size=9)).map(
        lambda at: whole[: at[0]] + at[1] + whole[at[0] + len(at[1]) :]
    )
    other = st.tuples(st.sampled_from(sorted(data)), VALUES).map(
        lambda one: json.dumps({**data, one[0]: one[1]}).encode()
    )
    without = st.sampled_from(sorted(data)).map(
        lambda name: json.dumps({key: value for key, value in data.items() if key != name}).encode()
    )
    return cut | garbled | other | without


SAVED = """{"instance": "0123456789abcdef", "digest_key": "00112233445566778899aabbccddeeff", "generation": 3,
"ports": {"litellm": 4000, "mpc-api": 3000}, "address": "127.0.0.1", "healthy": true,
"applied": {"provider_config": "mock"}, "choice": {"name": "mock", "settings": "mock"}}"""


@patient
@given(damaged(SAVED))
def test_a_damaged_state_is_read_whole_or_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    fault = ""
    try:
        found = state.read(path)
        assert found is not None
        state.write(path, found)
        assert state.read(path) == found
    except AiinfraError as error:
        fault = f"{error.code.name} {error.message}"
    assert not fault or fault.startswith(f"STATE_INVALID {path} is damaged")


@patient
@given(damaged(json.dumps(asdict(Entry("mpc-api", "drain", ("a", "b"), "c", "a")))))
def test_a_damaged_journal_is_read_whole_or_is_none(tmp_path: Path, content: bytes) -> None:
    journal = Journal(tmp_path / "journal.json")
    journal.path.write_bytes(content)
    found = journal.read()
    if found is not None:
        journal.write(found)
        assert journal.read() == found


@patient
@given(damaged(json.dumps(asdict(ONE))))
def test_a_damaged_generation_is_read_whole_or_named(tmp_path: Path, content: bytes) -> None:
    place = Workspace(tmp_path, "demo")
    (place.root / "generations").mkdir(parents=True, exist_ok=True)
    (place.root / "generations" / "1.json").write_bytes(content)
    found = generations.load(place)
    assert bool(found) != bool(generations.damaged(place))
    for one in found:
        assert Generation(**{**json.loads(json.dumps(asdict(one))), "files": one.files}) == one


def test_a_damaged_generation_is_told_by_history_and_refused_by_rollback(tmp_path: Path) -> None:
    write_keys(tmp_path)
    place = Workspace(tmp_path, "ai-infra")
    place.prepare()
    place.save(State(FIXED_IDENTITY, 2, healthy=True))
    generations.save(place, ONE)
    (place.root / "generations" / "2.json").write_text('{"number": 2, "at"')
    assert envelope(aiinfra(tmp_path, "history", "--json"))["data"]["damaged"] == ["2.json"]
    error = envelope(aiinfra(tmp_path, "rollback", "2", "--json", **NO_ENGINE))["error"]
    assert (error["code"], error["message"]) == ("ROLLBACK_REFUSED", "generation 2 is damaged")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] + b"\xff'\"")


@pytest.mark.parametrize(
    ("verb", "file", "code"),
    [
        ("up", ".env", "KEYS_INVALID"),
        ("up", "aiinfra.yaml", "SETTINGS_INVALID"),
        ("health", "aiinfra.yaml", "SETTINGS_INVALID"),
        ("restart", ".aiinfra/ai-infra/state.json", "STATE_INVALID"),
        ("health", ".aiinfra/ai-infra/state.json", "STATE_INVALID"),
    ],
)
def test_a_verb_names_a_damaged_file_and_touches_nothing(tmp_path: Path, verb: str, file: str, code: str) -> None:
    aiinfra(tmp_path, "init")
    place = Workspace(tmp_path, "ai-infra")
    place.prepare()
    place.save(State(FIXED_IDENTITY, 2, healthy=True))
    cut(tmp_path / file)
    before = contents(tmp_path)
    done = aiinfra(tmp_path, verb, "--json", **NO_ENGINE)
    error = envelope(done)["error"]
    assert (error["code"], Path(file).name in error["message"]) == (code, True)
    assert error["hint"]
    assert "Traceback" not in done.stderr
    assert contents(tmp_path) == before


def contents(directory: Path) -> dict[str, bytes]:
    # The lock is a file of its own.
    return {str(one): one.read_bytes() for one in directory.rglob("*") if one.is_file() and one.name != "lock"}
