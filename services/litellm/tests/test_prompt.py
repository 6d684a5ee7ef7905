from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_provider.prompt import MAX_TOPIC_CHARACTERS, subject_of


def asked(text: object) -> list[dict[str, Any]]:
    return [{"role": "system", "content": "You write about cheese."}, {"role": "user", "content": text}]


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Write a 60 second script about volcanoes.", "volcanoes"),
        ("Explain the history of Rome, briefly", "Rome"),
        ("What happens with black holes?", "happens black holes"),
        ("", "this subject"),
        ("火山", "火山"),
        ("Напиши сценарий", "напиши сценарий"),
    ],
)
def test_the_topic_of_a_sentence(text: str, topic: str) -> None:
    assert subject_of(asked(text)).topic == topic


@pytest.mark.parametrize(
    "text",
    [
        '{"duration": 60, "topic": "Volcanoes"}',
        'Use only this: <request>\n{"topic": "Volcanoes", "duration": 60}\n</request>',
        'Not {this} but ```json\n{"duration": 60, "title": "Volcanoes"}\n```',
    ],
)
def test_a_json_object_in_the_prompt_is_the_request(text: str) -> None:
    subject = subject_of(asked(text))
    assert subject.topic == "Volcanoes"
    assert subject.keywords == ("volcanoes",)
    assert subject.given["duration"] == 60


def test_the_last_user_message_counts() -> None:
    conversation = [*asked("about cheese"), {"role": "assistant", "content": "Yes"}, *asked("about glaciers")]
    assert subject_of(conversation).topic == "glaciers"


def test_text_parts_are_read_and_images_are_not() -> None:
    parts = [{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "a song about rain"}]
    assert subject_of(asked(parts)).topic == "rain"


def test_a_long_text_becomes_a_short_topic() -> None:
    script = "Glaciers carve valleys " + "and glaciers melt slowly into rivers " * 20
    subject = subject_of(asked(json.dumps({"script": script})))
    assert subject.topic.startswith("glaciers")
    assert len(subject.topic) <= MAX_TOPIC_CHARACTERS


@given(st.text())
def test_any_text_has_a_topic_and_a_keyword(text: str) -> None:
    subject = subject_of(asked(text))
    assert subject.topic.strip()
    assert all(subject.keywords)
    assert len(subject.topic) <= MAX_TOPIC_CHARACTERS
