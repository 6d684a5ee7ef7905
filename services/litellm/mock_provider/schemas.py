"""Reading a JSON schema: references, combinations and which branch to take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

Schema: TypeAlias = Mapping[str, Any] | bool
Branches: TypeAlias = Sequence[Schema]

_MAX_STEPS = 100
_MAX_HEIGHT = 12
_IMPLIED_TYPES = {
    "properties": "object",
    "required": "object",
    "additionalProperties": "object",
    "minProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
}


class UnsatisfiableSchemaError(ValueError):
    """No value can be made for a schema: it allows none, or it says something this package does not read."""


def is_null(schema: Schema) -> bool:
    """Whether a schema allows null and nothing else."""
    return isinstance(schema, Mapping) and (schema.get("type") == "null" or schema.get("const", "") is None)


def type_of(schema: Mapping[str, Any]) -> str:
    """The one type to make: the first that is not null, or what the other keywords imply, or "string"."""
    declared = schema.get("type")
    if isinstance(declared, str):
        return declared
    if declared:
        return next((str(name) for name in declared if name != "null"), "null")
    return next((kind for keyword, kind in _IMPLIED_TYPES.items() if keyword in schema), "string")


def look_up(root: Schema, reference: str) -> Schema:
    """What a reference within the document (`#`, `#/$defs/NAME`) points to."""
    if not reference.startswith("#"):
        raise UnsatisfiableSchemaError(f"$ref {reference!r} points outside the schema")
    found: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(key)] if isinstance(found, list) else found[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise UnsatisfiableSchemaError(f"$ref {reference!r} points to nothing") from None
    if not isinstance(found, Mapping | bool):
        raise UnsatisfiableSchemaError(f"$ref {reference!r} does not point to a schema")
    return found


def properties_of(root: Schema, schema: Schema) -> Mapping[str, Schema]:
    """The properties that an object schema, or the one it refers to, describes."""
    for _ in range(_MAX_STEPS):
        if isinstance(schema, bool):
            return {}
        if "$ref" not in schema:
            return schema.get("properties", {})  # type: ignore[no-any-return]  # checked against the metaschema
        schema = look_up(root, schema["$ref"])
    return {}


def concrete(root: Schema, schema: Schema, choose: Callable[[Branches], Schema]) -> Mapping[str, Any]:
    """A schema without references and combinations; `choose` takes one branch of an anyOf or oneOf."""
    for _ in range(_MAX_STEPS):
        if isinstance(schema, bool):
            schema = _from_bool(schema)
        rest = dict(schema)
        if "$ref" in rest:
            schema = merged(look_up(root, rest.pop("$ref")), rest)
        elif "allOf" in rest:
            schema = rest.pop("allOf")[0] if rest.keys() == {"allOf"} and len(rest["allOf"]) == 1 else _all_of(rest)
        elif "anyOf" in rest or "oneOf" in rest:
            branches = rest.pop("anyOf" if "anyOf" in rest else "oneOf")
            schema = merged(rest, choose(branches))
        else:
            return rest
    raise UnsatisfiableSchemaError("the schema's references lead in a circle")


def _from_bool(allowed: bool) -> dict[str, Any]:  # noqa: FBT001 (it is a schema)
    if not allowed:
        raise UnsatisfiableSchemaError("the schema allows no value")
    return {}


def _all_of(schema: dict[str, Any]) -> Schema:
    first, *others = schema.pop("allOf")
    if others:
        schema["allOf"] = others
    return merged(schema, first)


def merged(one: Schema, other: Schema) -> Schema:
    """A schema that means both; where both say something that cannot be joined, the second counts."""
    if isinstance(one, bool) or isinstance(other, bool):
        return other if one is True else one if other is True else False
    joined = {**one, **other}
    for keyword in one.keys() & other.keys():
        join = _JOINS.get(keyword)
        if join:
            joined[keyword] = join(one[keyword], other[keyword])
    return joined


def _joined_types(one: str | list[str], other: str | list[str]) -> list[str]:
    first, second = ([names] if isinstance(names, str) else names for names in (one, other))
    numbers = ["integer"] if "integer" in {*first, *second} and "number" in {*first, *second} else []
    both = [name for name in first if name in second] or numbers
    if not both:
        raise UnsatisfiableSchemaError(f"nothing is both {one} and {other}")
    return both


def _joined_properties(one: Mapping[str, Schema], other: Mapping[str, Schema]) -> dict[str, Schema]:
    return {**one, **{name: merged(one.get(name, True), schema) for name, schema in other.items()}}


_JOINS: dict[str, Callable[[Any, Any], Any]] = {
    "type": _joined_types,
    "properties": _joined_properties,
    "items": merged,
    "required": lambda one, other: list(dict.fromkeys([*one, *other])),
    "enum": lambda one, other: [value for value in one if value in other],
    "allOf": lambda one, other: [*one, *other],
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}


def height(root: Schema, schema: Schema, seen: frozenset[str] = frozenset(), level: int = 0) -> float:
    """How deeply nested the flattest value of a schema is; infinite when it never ends."""
    if isinstance(schema, bool):
        return 0 if schema else math.inf
    if level > _MAX_HEIGHT:
        return math.inf

    def under(part: Schema, also: frozenset[str] = frozenset()) -> float:
        return height(root, part, seen | also, level + 1)

    reference = schema.get("$ref")
    if reference is not None:
        return math.inf if reference in seen else under(look_up(root, reference), frozenset({reference}))
    branches = schema.get("anyOf") or schema.get("oneOf")
    parts = [min(map(under, branches))] if branches else []
    parts += [under(part) for part in schema.get("allOf", ())]
    properties = schema.get("properties", {})
    parts += [1 + under(properties[name]) for name in schema.get("required", ()) if name in properties]
    if schema.get("minItems", 0) > 0:
        parts.append(1 + under(schema.get("items", True)))
    return max(parts, default=0)
