"""What becomes of a request in the log, without a database; with one: tests/gateway/test_request_log.py."""

from __future__ import annotations

from typing import Any

import pytest

from request_log.buffer import Buffer
from request_log.row import COLUMNS, Call, Failure, Row, row
from request_log.settings import Settings, read

PAYLOAD = {
    "litellm_call_id": "call-1",
    "model_group": "fallback",
    "model_id": "one",
    "model": "openai/gpt",
    "custom_llm_provider": "openai",
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "response_cost": 0.5,
    "startTime": 105.0,
    "endTime": 107.5,
    "messages": [{"role": "user", "content": "a secret matter"}],
    "response": {"choices": []},
}
FAILURE = Failure(status=503, kind="Unavailable", words="cannot say: a secret matter")


def made(**more: Any) -> Row:
    return row({**PAYLOAD, **more}, None, prompts=False)


def test_a_row_speaks_of_the_request_as_a_whole_not_of_its_last_attempt() -> None:
    found = row(PAYLOAD, Call(began=100.0, alias="asked", call_type="acompletion", attempts=3), prompts=False)
    assert (found.alias, found.deployment, found.attempts, found.duration_ms) == ("asked", "one", 3, 7500)
    assert (found.outcome, found.status, found.cost) == ("success", 200, 0.5)


def test_words_are_kept_only_when_asked_for() -> None:
    assert "secret" not in repr(row(PAYLOAD, None, failure=FAILURE, prompts=False))
    kept = row(PAYLOAD, None, failure=FAILURE, prompts=True)
    assert "a secret matter" in (kept.prompt or "")
    assert kept.error_words == FAILURE.words
    assert kept.error == "Unavailable"


def test_next_to_nothing_known_still_makes_a_row() -> None:
    found = row({}, None, failure=FAILURE, prompts=True)
    assert (found.request_id, found.alias, found.attempts, found.duration_ms) == (None, None, 0, 0)
    assert (found.outcome, found.status) == ("failure", 503)


def test_what_postgresql_cannot_store_is_replaced() -> None:
    assert made(model_group="a\0b\ud800c").alias == "a\ufffdb?c"


def test_values_come_in_the_order_of_the_columns() -> None:
    found = made()
    assert dict(zip(COLUMNS, found.values(), strict=True)) == {name: getattr(found, name) for name in COLUMNS}


def test_the_oldest_go_when_no_more_fit_and_are_counted_once() -> None:
    buffer = Buffer(most_rows=2)
    rows = [made(litellm_call_id=str(number)) for number in range(5)]
    for one in rows:
        buffer.add(one)
    assert buffer.oldest(10) == rows[3:]
    assert (buffer.take_dropped(), buffer.take_dropped()) == (3, 0)


def test_rows_of_many_words_count_by_their_size() -> None:
    buffer = Buffer(most_rows=100, most_bytes=10_000)
    for _ in range(5):
        buffer.add(row({**PAYLOAD, "messages": "x" * 3_000}, None, prompts=True))
    assert len(buffer) == 2


def test_rows_that_had_to_go_while_they_were_written_are_not_lost() -> None:
    buffer = Buffer(most_rows=2)
    rows = [made() for _ in range(3)]
    for one in rows[:2]:
        buffer.add(one)
    writing = buffer.oldest(2)
    buffer.add(rows[2])
    buffer.remove(writing)
    assert (buffer.oldest(9), buffer.take_dropped()) == (rows[2:], 0)


def test_settings_have_defaults_and_never_show_the_url() -> None:
    assert read({}) == Settings(url="", prompts=False, buffer_rows=20_000)
    found = read({"LITELLM_DATABASE_URL": "postgresql://me:word@db/x", "REQUEST_LOG_PROMPTS": "True"})
    assert found.prompts
    assert "word" not in repr(found)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_buffer_that_is_no_number_of_rows_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="REQUEST_LOG_BUFFER"):
        read({"REQUEST_LOG_BUFFER": value})
