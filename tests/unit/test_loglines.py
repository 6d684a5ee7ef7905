"""What a line of a log is read as, and which lines pass."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiinfra.engine import stamped
from aiinfra.errors import AiinfraError, Code
from aiinfra.loglines import Entry, Sieve, cleaned, entry, moment, shown_fields

NOW = datetime(2026, 11, 28, 20, 0, 0, tzinfo=UTC)
STAMP = "2026-11-28T19:41:33.886807001Z"


@pytest.mark.parametrize(
    ("text", "level", "message"),
    [
        ("1:M 28 Nov 2026 19:41:33.889 * Ready to accept connections tcp", "info", "Ready to accept connections tcp"),
        ("1:M 28 Nov 2026 19:41:33.889 # Out of memory", "warning", "Out of memory"),
        ("[ALERT]    (8) : backend 'x' has no server!", "error", "backend 'x' has no server!"),
        ("INFO:     Started server process [1]", "info", "Started server process [1]"),
        ("Server litellm/litellm1 is DOWN", "", "Server litellm/litellm1 is DOWN"),
        ('{"level": "ERROR", "message": "boom"}', "error", "boom"),
        ('{"level": "NONSENSE", "msg": "boom"}', "", "boom"),
        ('{"unfinished', "", '{"unfinished'),
        ("{}", "", ""),
        ("[1, 2]", "", "[1, 2]"),
    ],
)  # fmt: skip
def test_each_program_is_read_in_its_own_format(text: str, level: str, message: str) -> None:
    found = entry(text)
    assert (found.level, found.message) == (level, message)


def test_a_json_line_of_mpc_api_gives_level_event_request_id_and_the_rest() -> None:
    line = {"time": "t", "level": "info", "event": "request", "requestId": "r-1", "status": 200, "path": "/x"}
    assert entry(json.dumps(line)) == Entry("info", "request", "r-1", {"status": 200, "path": "/x"})


def test_what_has_several_lines_is_shown_last_and_indented() -> None:
    shown = shown_fields({"stacktrace": "Traceback:\n  at x", "status": 500, "empty": ""})
    assert shown == " status=500\n  stacktrace:\n    Traceback:\n      at x"


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("\x1b[32m    mock/slow\x1b[0m", "    mock/slow"),
        ("\x1b]0;owned\x07title", "title"),
        ("a\x1b[2J\x1b[Hb\x08\x07\rc\td", "abc\td"),
        ("\x9b31mred", "31mred"),
        ("plain ö ✓", "plain ö ✓"),
    ],
)
def test_nothing_that_a_terminal_obeys_is_left(dirty: str, clean: str) -> None:
    assert cleaned(dirty) == clean


@given(st.text())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_read_and_cleaned_without_a_fault(text: str) -> None:
    entry(text)
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", cleaned(text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(JSON)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_read_without_a_fault(value: object) -> None:
    found = entry(json.dumps({"level": value, "message": value, "more": value}))
    shown_fields(found.fields)


def test_a_level_lets_through_what_is_as_bad_and_the_lines_that_belong_to_it() -> None:
    sieve = Sieve("warning", None)
    texts = ["INFO: a", "ERROR: b", "Traceback", "  at x", "INFO: c", "more of c"]
    assert [text for text in texts if sieve.passes("one", entry(text), text)] == ["ERROR: b", "Traceback", "  at x"]


def test_containers_do_not_lend_each_other_their_level() -> None:
    sieve = Sieve("error", None)
    assert sieve.passes("one", entry("ERROR: b"), "")
    assert not sieve.passes("two", entry("Traceback"), "")


def test_a_pattern_and_a_level_must_both_fit() -> None:
    sieve = Sieve("warning", re.compile("disk"))
    texts = ["ERROR: disk", "ERROR: cpu", "INFO: disk"]
    assert [text for text in texts if sieve.passes("one", entry(text), text)] == ["ERROR: disk"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", "2026-11-28T19:58:30.000000Z"),
        ("1h30m", "2026-11-28T18:30:00.000000Z"),
        ("2d", "2026-11-26T20:00:00.000000Z"),
        ("2026-11-28", "2026-11-28T00:00:00.000000Z"),
        ("2026-11-28T12:00:00.5+02:00", "2026-11-28T10:00:00.500000Z"),
        (STAMP[:23] + "Z", "2026-11-28T19:41:33.886000Z"),
    ],
)
def test_a_time_is_a_span_before_now_or_a_date(text: str, expected: str) -> None:
    assert moment(text, "--since", NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "10", "5x", "99999999999d", "10:61"])
def test_what_is_no_time_is_wrong_usage(text: str) -> None:
    with pytest.raises(AiinfraError) as caught:
        moment(text, "--since", NOW)
    assert caught.value.code is Code.USAGE


@pytest.mark.parametrize("length", [0, 1, 16383, 16384, 16385, 50000])
def test_a_line_that_the_engine_kept_in_pieces_is_one_line_again(length: int) -> None:
    text = ("ö" * length)[:length]
    raw = text.encode()
    pieces = [raw[start : start + 16384] for start in range(0, max(len(raw), 1), 16384)]
    written = b"".join(f"{STAMP} ".encode() + piece for piece in pieces)
    assert list(stamped([b"no time here", written])) == [(STAMP, text)]
