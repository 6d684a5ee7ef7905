from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_provider.failures import FAILURES, garbled


def test_every_failure_says_that_it_is_on_purpose() -> None:
    assert {name: failure.status for name, failure in FAILURES.items()} == {
        "rate-limit": 429,
        "timeout": 408,
        "server-error": 500,
    }
    assert all("mock provider fails on purpose" in failure.message for failure in FAILURES.values())


@given(st.text())
def test_garbage_is_never_json(text: str) -> None:
    made = garbled(text)
    assert "mock provider fails on purpose" in made
    with pytest.raises(json.JSONDecodeError):
        json.loads(made)
