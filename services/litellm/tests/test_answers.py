from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mock_provider.answers import Request, answer
from mock_provider.schemas import UnsatisfiableSchemaError

ABOUT_VOLCANOES = Request(
    model="script",
    messages=[{"role": "user", "content": '{"topic": "Volcanoes", "duration": 60, "tone": "calm"}'}],
)
SCRIPT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 100},
        "tone": {"type": "string"},
        "duration": {"type": "integer", "minimum": 15, "maximum": 600},
        "scenes": {"type": "array", "items": {"$ref": "#/$defs/Scene"}, "minItems": 2},
        "tags": {"type": "array", "items": {"type": "string"}},
        "hashtags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["title", "tone", "duration", "scenes", "tags", "hashtags"],
    "additionalProperties": False,
    "$defs": {
        "Scene": {
            "type": "object",
            "properties": {
                "number": {"type": "integer"},
                "seconds": {"type": "integer"},
                "narration": {"type": "string"},
            },
            "required": ["number", "seconds", "narration"],
        },
    },
}
CALL = {"type": "function", "function": {"name": "plan", "parameters": SCRIPT}}


def shaped(schema: Any) -> Request:
    return replace(
        ABOUT_VOLCANOES,
        response_format={"type": "json_schema", "json_schema": {"name": "made", "schema": schema}},
    )


def test_prose_speaks_of_the_topic() -> None:
    made = answer(ABOUT_VOLCANOES)
    assert "Volcanoes" in made.text
    assert made.finish_reason == "stop"
    assert made.completion_tokens > 0


def test_a_script_is_what_the_prompt_asked_for() -> None:
    script = json.loads(answer(shaped(SCRIPT)).text)
    jsonschema.validate(script, SCRIPT)
    assert "Volcanoes" in script["title"]
    assert (script["duration"], script["tone"]) == (60, "calm")
    assert [scene["number"] for scene in script["scenes"]] == list(range(1, len(script["scenes"]) + 1))
    assert all(scene["narration"].endswith(".") and scene["seconds"] > 0 for scene in script["scenes"])
    assert script["tags"][0] == "volcanoes"
    assert all(tag.startswith("#") for tag in script["hashtags"])


def test_a_json_object_is_one() -> None:
    made = answer(replace(ABOUT_VOLCANOES, response_format={"type": "json_object"}))
    assert json.loads(made.text)["topic"] == "Volcanoes"


@pytest.mark.parametrize("request_", [ABOUT_VOLCANOES, shaped(SCRIPT)])
def test_the_answer_is_cut_after_max_tokens(request_: Request) -> None:
    full, cut = answer(request_), answer(replace(request_, max_tokens=5))
    assert full.text.startswith(cut.text)
    assert (cut.finish_reason, cut.completion_tokens) == ("length", 5)
    assert answer(replace(request_, max_tokens=full.completion_tokens)) == full


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "plan"}}])
def test_a_demanded_tool_is_called(choice: Any) -> None:
    made = answer(replace(ABOUT_VOLCANOES, tools=[CALL], tool_choice=choice))
    assert made.tool_call is not None
    assert (made.finish_reason, made.tool_call.name, made.text) == ("tool_calls", "plan", "")
    jsonschema.validate(json.loads(made.tool_call.arguments), SCRIPT)


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_an_offered_tool_is_not_called(choice: Any) -> None:
    assert answer(replace(ABOUT_VOLCANOES, tools=[CALL], tool_choice=choice)).tool_call is None


def test_another_request_gets_another_answer() -> None:
    assert answer(ABOUT_VOLCANOES).text != answer(replace(ABOUT_VOLCANOES, seed=1)).text


def test_the_same_request_gets_the_same_answer_in_another_process() -> None:
    program = (
        "from mock_provider.answers import Request, answer\n"
        f"print(answer(Request(**{shaped(SCRIPT).__dict__!r})).text, end='')"
    )
    folder = Path(__file__).resolve().parent.parent
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=folder,
            env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
            encoding="utf-8",
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {answer(shaped(SCRIPT)).text}


def test_an_impossible_schema_is_refused() -> None:
    with pytest.raises(UnsatisfiableSchemaError):
        answer(shaped({"type": "integer", "minimum": 3, "maximum": 2}))
