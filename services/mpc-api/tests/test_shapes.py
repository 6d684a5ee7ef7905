"""The pure parts: counting, sharing out, schemas, the lines of the log."""

import json
import logging
import sys

import pytest

from mpc_api.answers import apportion, spoken
from mpc_api.drafts import Draft, MetadataDraft, ScriptDraft, ThumbnailDraft, strict_schema
from mpc_api.errors import STATUS, Code
from mpc_api.logs import JsonLines
from mpc_api.wire import timestamp


@pytest.mark.parametrize(
    ("text", "words", "seconds"),
    [
        ("", 0, 1),
        ("One, two — three!", 3, 1),
        ("don't well-known 1,000.5 l\u2019été", 4, 2),
        ("word " * 150, 150, 60),
        ("冷たいコーヒーです", 9, 2),
        ("Привет, мир", 2, 1),
    ],
)
def test_spoken(text: str, words: int, seconds: int) -> None:
    assert spoken(text) == (words, seconds)


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (60, [10, 20], [20, 40]),
        (10, [1, 1, 1], [4, 3, 3]),
        (5, [0, 0], [3, 2]),
        (2, [1] * 5, [1, 1, 0, 0, 0]),
        (3600, [0.1, 0.2], [1200, 2400]),
        (7, [3], [7]),
    ],
)
def test_apportion_adds_up(total: int, weights: list[float], shares: list[int]) -> None:
    assert apportion(total, weights) == shares
    assert sum(apportion(total, weights)) == total


def objects(node: object) -> list[dict[str, object]]:
    if isinstance(node, list):
        return [found for child in node for found in objects(child)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "object" else []
    return own + [found for child in node.values() for found in objects(child)]


@pytest.mark.parametrize("draft", [ScriptDraft, ThumbnailDraft, MetadataDraft])
def test_schemas_are_strict(draft: type[Draft]) -> None:
    schema = strict_schema(draft)
    for found in objects(schema):
        properties = found["properties"]
        assert isinstance(properties, dict)
        assert found["required"] == list(properties)
        assert found["additionalProperties"] is False
    text = json.dumps(schema)
    for bound in ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "default"):
        assert f'"{bound}"' not in text


def test_a_property_named_like_a_keyword_stays() -> None:
    properties = strict_schema(ScriptDraft)["properties"]
    assert isinstance(properties, dict)
    assert properties["title"] == {"type": "string"}


def test_every_code_has_a_status() -> None:
    assert set(STATUS) == set(Code)
    assert len(STATUS) == 15


def test_a_logged_exception_shows_where_and_not_what() -> None:
    try:
        raise ValueError("a private prompt")  # noqa: TRY301
    except ValueError:
        record = logging.LogRecord("mpc_api", logging.ERROR, __file__, 1, "broken", None, sys.exc_info())
    line = JsonLines().format(record)
    assert json.loads(line)["exception"] == "ValueError"
    assert "test_shapes.py" in json.loads(line)["at"][0]
    assert "private" not in line


def test_timestamps_have_milliseconds_and_a_z() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
