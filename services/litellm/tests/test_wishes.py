"""What the request's JSON asks for is found in the answer, under whichever name the schema gives it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from mock_provider.answers import Request, answer

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
POINTS = ["Magma rises", "Gas makes it explode!", "Ash feeds the soil"]
SEEDS = range(20)


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SECTION = closed(heading=TEXT, narration=TEXT, visualNotes=TEXT, seconds={"type": "number"})
SCRIPT = {
    **closed(title=TEXT, hook=TEXT, sections={"type": "array", "items": {"$ref": "#/$defs/S"}}, callToAction=TEXT),
    "$defs": {"S": SECTION},
}


def made(schema: dict[str, Any], seed: int | None = None, /, **fields: Any) -> Any:
    request = json.dumps({"topic": "Volcanoes", **fields})
    value = json.loads(
        answer(
            Request(
                model="m",
                messages=[{"role": "user", "content": f"<request>\n{request}\n</request>"}],
                response_format={"type": "json_schema", "json_schema": {"schema": schema}},
                seed=seed,
            )
        ).text
    )
    jsonschema.validate(value, schema)
    return value


@pytest.mark.parametrize("seed", SEEDS)
def test_the_parts_of_a_script_differ(seed: int) -> None:
    script = made(SCRIPT, seed, duration=60)
    for name in ("heading", "narration", "visualNotes"):
        texts = [section[name] for section in script["sections"]]
        assert len(set(texts)) == len(texts) > 1
    assert script["title"] not in [section["heading"] for section in script["sections"]]


@pytest.mark.parametrize("name", ["titles", "imagePrompts", "tags", "colours", "facts"])
def test_the_texts_of_a_list_differ(name: str) -> None:
    texts = made(closed(**{name: {**TEXTS, "minItems": 6}}))[name]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", ["negativePrompt", "negative_prompt", "avoid", "excludeFromImage", "promptNegative"])
def test_a_negative_name_says_what_to_leave_out(name: str) -> None:
    value = made(closed(**{name: TEXT}))[name]
    assert value.count(", ") > 3
    assert {
        "blurry",
        "low contrast",
        "watermark",
        "overexposed",
        "dull colours",
        "bad cropping",
        "extra fingers",
    } & set(value.split(", "))


def test_a_list_of_what_to_avoid_has_one_thing_an_item() -> None:
    assert all("," not in thing for thing in made(closed(thingsToAvoid=TEXTS))["thingsToAvoid"])


@pytest.mark.parametrize("name", ["keyPoints", "key_points"])
def test_the_sections_take_up_the_key_points_in_order(name: str) -> None:
    sections = made(SCRIPT, **{name: POINTS})["sections"]
    assert [section["heading"] for section in sections] == POINTS
    assert all(point in section["narration"] for point, section in zip(POINTS, sections, strict=True))


def test_fewer_sections_than_key_points_share_them() -> None:
    two = closed(parts={"type": "array", "items": closed(narration=TEXT), "maxItems": 2})
    told = [part["narration"] for part in made(two, keyPoints=POINTS)["parts"]]
    assert POINTS[0] in told[0]
    assert POINTS[1] in told[1]
    assert POINTS[2] in told[1]


@pytest.mark.parametrize(
    ("asked", "answered"), [("callToAction", "call_to_action"), ("call_to_action", "callToAction")]
)
def test_the_call_to_action_is_the_requests(asked: str, answered: str) -> None:
    assert made(closed(**{answered: TEXT}), **{asked: "Visit us"})[answered] == "Visit us"


@pytest.mark.parametrize("answered", ["colours", "brand_colors", "palette"])
@pytest.mark.parametrize("asked", ["brandColours", "brand_colors", "colours"])
def test_the_colours_are_the_brands(asked: str, answered: str) -> None:
    brand = ["#ff8800", "navy", "white", "#000"]
    assert made(closed(**{answered: TEXTS}), **{asked: brand})[answered] == brand


def test_brand_colours_are_completed_when_the_schema_wants_more() -> None:
    colours = made(closed(colours={**TEXTS, "minItems": 3}), brandColours=["navy"])["colours"]
    assert colours[0] == "navy"
    assert len(set(colours)) == 3


def test_the_text_overlay_is_the_requests() -> None:
    assert made(closed(text_overlay=TEXT), textOverlay="IT BLOWS")["text_overlay"] == "IT BLOWS"


@pytest.mark.parametrize("name", ["textOverlay", "overlay_text"])
def test_a_text_overlay_is_a_few_words(name: str) -> None:
    assert 1 <= len(made(closed(**{name: TEXT}), topic="Why volcanoes erupt without warning")[name].split()) <= 4


def test_every_keyword_is_among_the_tags() -> None:
    keywords = [f"word {number}" for number in range(9)]
    value = made(closed(tags=TEXTS, hashtags=TEXTS), keywords=keywords)
    assert set(keywords) <= set(value["tags"])
    assert value["hashtags"][0] == "#Word0"


def test_unwanted_keywords_are_not_among_the_tags() -> None:
    assert "cheese" not in made(closed(tags=TEXTS), excludeKeywords=["cheese"])["tags"]


def test_the_hook_speaks_to_the_audience() -> None:
    assert "hikers" in made(SCRIPT, audience="hikers")["hook"]


@pytest.mark.parametrize(
    ("duration", "points"),
    [(5, []), (15, []), (15, POINTS), (30, POINTS), (60, []), (60, POINTS), (300, []), (3600, POINTS)],
)
@pytest.mark.parametrize(
    "topic", ["Volcanoes", "Why some volcanoes sleep for a thousand years and then erupt overnight"]
)
def test_the_narrations_last_as_long_as_asked(duration: int, points: list[str], topic: str) -> None:
    sections = made(SCRIPT, topic=topic, duration=duration, keyPoints=points)["sections"]
    words = sum(len(section["narration"].split()) for section in sections)
    assert words == pytest.approx(duration * 2.5, rel=0.25)
    assert max(len(section["narration"]) for section in sections) < 10_000
