"""What a user reads of a service that did not become ready, from its container and its log alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from aiinfra.diagnosis import exit_reason, matter, not_ready
from aiinfra.engine import Container, Exit

ENDED = Container(
    id="1",
    name="ai-infra-litellm-1",
    service="litellm",
    image="x",
    state="exited",
    health="",
    exit_code=1,
    out_of_memory=False,
    restarts=0,
    started=datetime(2026, 1, 1, 10, 0, 0, tzinfo=UTC),
    labels={},
    ports={},
    last_check="",
    finished=datetime(2026, 1, 1, 10, 0, 7, tzinfo=UTC),
)


def test_a_traceback_in_a_json_line_is_told_by_what_was_raised() -> None:
    message = 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: group names must be unique\n'
    line = json.dumps({"level": "ERROR", "message": message})
    assert matter([line]) == ["error: ValueError: group names must be unique"]


def test_a_container_that_was_discarded_is_not_offered_for_a_look() -> None:
    error = not_ready("litellm", None, "it is not ready", left=False)
    assert error.hint == "put right what its log says, then run the same command again"


def test_it_says_which_since_when_why_the_lines_and_what_to_type_in_this_order() -> None:
    error = not_ready(
        "litellm", ENDED, "it exited with code 1", end=Exit(1, False), lines=["ValueError: no model_list"]
    )
    shown = f"{error.message}\n{error.hint}"
    parts = [
        "litellm",
        "since 10:00:07 UTC",
        "exited with code 1",
        "ValueError: no model_list",
        "`aiinfra logs litellm`",
    ]
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)
    assert error.details["since"] == "2026-01-01T10:00:07Z"
    assert error.details["cause"] == "exit"


def test_one_that_runs_and_is_not_healthy_counts_from_its_start() -> None:
    running = replace(ENDED, state="running", finished=None)
    error = not_ready("litellm", running, "it is not healthy after 3 s; its last check says: HTTP 503")
    assert error.details == {
        "service": "litellm",
        "since": "2026-01-01T10:00:00Z",
        "cause": "probe",
        "reason": "it is not healthy after 3 s; its last check says: HTTP 503",
        "log": [],
    }


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (Exit(0, False), "it exited with code 0"),
        (Exit(3, False), "it exited with code 3"),
        (Exit(137, False), "it was killed (signal 9)"),
        (Exit(139, False), "it was ended by signal 11 (SIGSEGV)"),
        (Exit(143, False), "it was ended by signal 15 (SIGTERM)"),
        (Exit(255, False), "it exited with code 255"),
        (Exit(137, True), "it ran out of memory (its limit is services.litellm.memory) and was killed"),
    ],
)
def test_every_way_to_end_has_its_words(end: Exit, text: str) -> None:
    assert exit_reason("litellm", end) == text


@pytest.mark.parametrize(
    ("line", "cause", "words"),
    [
        ("Exception: Missing Anthropic key: ANTHROPIC_API_KEY", "missing_key", "ANTHROPIC_API_KEY"),
        ("OPENAI_API_KEY is not set", "missing_key", "OPENAI_API_KEY"),
        ("[ALERT] (1) : Starting frontend litellm: cannot bind socket [:::4000]", "port", "a port"),
        ("[Errno 98] error while attempting to bind: address already in use", "port", "a port"),
        ("redis.exceptions.AuthenticationError: WRONGPASS invalid username-password", "redis_password", "password"),
        ("Bad file format reading the append only file: wrong format", "data", "damaged"),
        ("OSError: [Errno 28] No space left on device", "disk", "disk"),
        ("PermissionError: [Errno 13] Permission denied: '/run/secrets/X'", "permission", "/run/secrets/X"),
    ],
)
def test_a_known_cause_is_named_with_what_to_do(line: str, cause: str, words: str) -> None:
    error = not_ready("litellm", ENDED, "it exited with code 1", end=Exit(1, False), lines=["starting", line])
    assert error.details["cause"] == cause
    assert words in error.message.splitlines()[0]


def test_out_of_memory_says_which_setting_to_raise() -> None:
    error = not_ready("litellm", ENDED, "it ran out of memory", end=Exit(137, True))
    assert "raise services.litellm.memory in aiinfra.yaml, then `aiinfra up`" in error.hint


def test_of_a_long_log_the_lines_that_matter_are_shown_and_the_frames_of_a_traceback_are_not() -> None:
    log = [
        *(f"INFO:     step {number}" for number in range(50)),
        "Traceback (most recent call last):",
        '  File "/app/x.py", line 3, in <module>',
        "    main()",
        "ValueError: 7 is not a mapping",
        '{"message": "Could not read the config", "level": "ERROR", "timestamp": "2026-01-01"}',
        "INFO:     bye",
    ]
    assert matter(log) == ["ValueError: 7 is not a mapping", "error: Could not read the config"]
    assert matter(["INFO:     a", "INFO:     b"]) == ["INFO: a", "INFO: b"]


def test_no_secret_and_no_escape_sequence_of_a_log_is_shown() -> None:
    secret = "sk-sentinel-0123456789"
    lines = [f"\x1b[31mError: key {secret} refused\x1b[0m"]
    error = not_ready("litellm", ENDED, f"it said {secret}", end=Exit(1, False), lines=lines, secrets=[secret, ""])
    assert secret not in repr((error.message, error.hint, error.details))
    assert "\x1b" not in error.message
