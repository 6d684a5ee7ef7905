from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mock_provider import tokens


@given(st.text())
def test_the_tokens_of_a_text_are_the_text(text: str) -> None:
    assert "".join(tokens.split(text)) == text


@given(st.text(), st.integers(0, 20))
def test_a_text_cut_after_n_tokens_has_n_tokens(text: str, wanted: int) -> None:
    cut = "".join(tokens.split(text)[:wanted])
    assert tokens.count(cut) == min(wanted, tokens.count(text))


def test_messages_and_attachments_cost() -> None:
    message = {"role": "user", "content": "Hello there"}
    assert tokens.count_prompt([message]) == 6
    assert tokens.count_prompt([message, message]) == 12
    assert tokens.count_prompt([message], None, {"a": 1}) > 6
