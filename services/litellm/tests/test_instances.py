"""Made values are valid: checked by jsonschema for chosen schemas and for thousands of random ones."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_provider.instances import instance_of
from mock_provider.prompt import Subject
from mock_provider.schemas import UnsatisfiableSchemaError

VOLCANOES = Subject(topic="Volcanoes", keywords=("volcanoes", "lava"), given={"duration": 60})
BUSY = Subject(
    topic="Volcanoes {0}",
    keywords=("volcanoes",),
    given={"duration": float("inf"), "textOverlay": " ", "calltoaction": "Go!", "audience": ""},
    listed={"key_points": ("One", "Two." * 200, "{x}", "Four"), "brandColours": ("red",), "x": ("a", "b"), "tags": ()},
)

NODE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "parent": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
    "required": ["name", "parent", "children"],
    "additionalProperties": False,
}
CHOSEN: list[Any] = [
    True,
    {},
    {"type": "object"},
    {"type": ["null", "integer"]},
    {"type": "null"},
    {"const": {"a": [1, None]}},
    {"enum": ["x", 3, None]},
    {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
    {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "required": ["c"], "maxProperties": 2},
    {"type": "object", "required": ["x"], "additionalProperties": {"type": "boolean"}},
    {"type": "object", "patternProperties": {"^k[0-9]$": {"type": "number"}}, "minProperties": 1},
    {"type": "object", "properties": {"never": False, "yes": True}},
    {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
    {"type": "array", "items": {"type": "string"}, "maxItems": 0},
    {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "integer", "minimum": 7}}}]},
    {"allOf": [{"anyOf": [{"minLength": 5}, {"type": "null"}]}, {"type": "string"}]},
    {"type": "number", "exclusiveMinimum": 0.001, "exclusiveMaximum": 0.002},
    {"type": "integer", "multipleOf": 7, "minimum": 100, "maximum": 105},
    {"type": "number", "multipleOf": 0.5, "minimum": -3.2, "maximum": -2.6},
    {"type": "integer", "exclusiveMinimum": -5, "exclusiveMaximum": -3},
    {"type": "string", "minLength": 300, "maxLength": 300},
    {"type": "string", "maxLength": 3},
    {"type": "string", "pattern": "^[A-Z]{2}-\\d{4}(-(alpha|beta))?$"},
    {"type": "string", "pattern": "^#[\\w]+$", "minLength": 20, "maxLength": 30},
    {"type": "string", "pattern": "^([a-z])\\1[^0-9]+?$"},
    {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
    {"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"type": "integer"}}},
    {"type": "array", "minItems": 1, "items": {"anyOf": [{"$ref": "#"}, {"type": "string"}]}},
    {"if": {"type": "integer"}, "then": {"minimum": 0}, "type": "integer"},
    {"not": {"type": "string"}, "anyOf": [{"type": "string"}, {"type": "integer"}]},
]
FORMATS = ["date", "date-time", "email", "uri", "uuid", "ipv4", "ipv6", "time", "hostname"]


@pytest.mark.parametrize("schema", CHOSEN, ids=str)
def test_a_made_value_is_valid(schema: Any) -> None:
    jsonschema.validate(instance_of(schema, VOLCANOES, "seed"), schema)


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_is_kept(form: str) -> None:
    schema = {"type": "string", "format": form}
    made = instance_of(schema, VOLCANOES, "seed")
    jsonschema.validate(made, schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "no-such-type"},
        {"type": "string", "pattern": "("},
        {"type": "string", "minLength": 5, "maxLength": 4},
        {"type": "string", "minLength": 10**9},
        {"type": "array", "minItems": 10**9},
        {"enum": []},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#/$defs/missing"},
        {"$ref": "#"},
        {"type": "object", "properties": {"again": {"$ref": "#"}}, "required": ["again"]},
        {"type": "string", "not": {"type": "string"}},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
    ],
    ids=str,
)
def test_what_cannot_be_made_is_refused(schema: Any) -> None:
    with pytest.raises(UnsatisfiableSchemaError):
        instance_of(schema, VOLCANOES, "seed")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("title", None),
        ("image_prompt", None),
        ("fullNarration", None),
        ("hashtag", "#"),
        ("sourceUrl", "https://"),
    ],
)
def test_a_text_fits_its_name(name: str, start: str | None) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}
    made = instance_of(schema, VOLCANOES, "seed")[name]
    assert "volcanoes" in made.lower()
    assert made.startswith(start or "")


def bounded(low: str, high: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Sometimes a lower, sometimes an upper bound, never one above the other."""

    def ordered(pair: tuple[Any, Any]) -> dict[str, Any]:
        return {low: min(pair), high: max(pair)}

    both = st.tuples(values, values).map(ordered)
    return st.one_of(st.just({}), both, values.map(lambda value: {low: value}), values.map(lambda value: {high: value}))


def joined(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


SMALL = st.integers(0, 6)
USUAL_NAMES = ["title", "tags", "seconds", "narration", "imagePrompt", "x", "scene_number", "größe"]
WISHED_NAMES = ["colours", "textOverlay", "negative_prompt", "callToAction", "hook"]
NAMES = st.sampled_from([*USUAL_NAMES, *WISHED_NAMES])
PATTERNS = st.sampled_from(["^#\\w+$", "[0-9]", "^[a-f]{1,3}$", "^(yes|no)", "\\S"])
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.just({}),
    st.just({"type": "null"}),
    st.just({"type": "boolean"}),
    st.lists(st.one_of(st.integers(), st.text(max_size=5), st.none()), min_size=1, max_size=3).map(
        lambda values: {"enum": values},
    ),
    joined(st.just({"type": "string"}), bounded("minLength", "maxLength", st.integers(0, 60))),
    PATTERNS.map(lambda pattern: {"type": "string", "pattern": pattern}),
    joined(st.just({"type": "integer"}), bounded("minimum", "maximum", st.integers(-1000, 1000))),
    joined(st.just({"type": "number"}), bounded("minimum", "maximum", st.floats(-1e6, 1e6).map(lambda x: round(x, 3)))),
    st.integers(1, 50).map(lambda factor: {"type": "integer", "multipleOf": factor}),
    st.just({"$ref": "#/$defs/Node"}),
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.dictionaries(NAMES, inner, max_size=4).flatmap(objects),
        joined(inner.map(lambda items: {"type": "array", "items": items}), bounded("minItems", "maxItems", SMALL)),
        st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
        inner.map(lambda schema: {"anyOf": [schema, {"type": "null"}]}),
    )


def objects(properties: dict[str, Any]) -> st.SearchStrategy[Any]:
    required = st.lists(st.sampled_from(sorted(properties)), unique=True) if properties else st.just([])
    return st.builds(
        lambda needed, closed: {
            "type": "object",
            "properties": properties,
            "required": needed,
            "additionalProperties": not closed,
        },
        required,
        st.booleans(),
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(LEAVES, nested, max_leaves=12), st.sampled_from([VOLCANOES, BUSY]))
def test_a_value_made_for_a_random_schema_is_valid(schema: Any, subject: Subject) -> None:
    schema = {**schema, "$defs": {"Node": NODE}}
    made = instance_of(schema, subject, "seed")
    jsonschema.validate(made, schema)
    assert made == instance_of(schema, subject, "seed")
