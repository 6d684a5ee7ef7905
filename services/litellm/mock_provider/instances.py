"""A value that is valid against a JSON schema and speaks of a subject."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, cast

import referencing
from jsonschema import SchemaError
from jsonschema.validators import validator_for

from mock_provider import amounts, names, texts, wishes
from mock_provider.names import plain_name
from mock_provider.place import Place
from mock_provider.schemas import (
    Branches,
    Schema,
    UnsatisfiableSchemaError,
    concrete,
    height,
    is_null,
    properties_of,
    type_of,
)
from mock_provider.writing import Pen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_provider.prompt import Subject

_TRIES = 12
_DEEP = 4
_TOO_DEEP = 40
_MAX_ITEMS = 1_000
_SAME_ITEM_TRIES = 30
_OTHER_TEXT_TRIES = 3
_LISTED_NAMES = re.compile(r"tags|keywords|terms", re.IGNORECASE)


def instance_of(schema: Schema, subject: Subject, seed: str) -> Any:
    """A value valid against `schema`, always the same for the same arguments.

    Makes one and checks it; where the schema has a choice, takes another and tries again, a few times.
    Raises UnsatisfiableSchemaError when that leads to nothing or `schema` is no JSON schema.
    """
    problem = "no value found that is valid against the schema"
    try:
        kind = validator_for(schema)
        kind.check_schema(cast("dict[str, Any]", schema))
        validator = kind(schema, registry=referencing.Registry())
        start = Place(points=names.list_named(subject.listed, names.POINTS))
        for attempt in range(_TRIES):
            pen = Pen(subject, Random(f"{seed}/{attempt}"))  # noqa: S311 (nothing here is a secret)
            try:
                made = _Maker(schema, pen, attempt).value(schema, start)
            except UnsatisfiableSchemaError as error:
                problem = str(error)
                continue
            if validator.is_valid(made):
                return made
    except SchemaError as error:
        problem = f"not a JSON schema: {error.message}"
    except (re.error, referencing.exceptions.Unresolvable, RecursionError, OverflowError) as error:
        problem = f"cannot read the schema: {error}"
    raise UnsatisfiableSchemaError(problem)


@dataclass(frozen=True)
class _Maker:
    root: Schema
    pen: Pen
    attempt: int

    def value(self, schema: Schema, place: Place) -> Any:  # noqa: PLR0911 (one per type)
        if place.depth > _TOO_DEEP:
            raise UnsatisfiableSchemaError("the schema asks for endless nesting")
        schema = concrete(self.root, schema, lambda branches: self._branch(branches, place))
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._listed(schema["enum"], place)
        match type_of(schema):
            case "object":
                return self._object(schema, place)
            case "array":
                return self._array(schema, place)
            case "integer" | "number" as kind:
                return self._amount(kind, schema, place)
            case "boolean":
                return self.pen.rng.random() < 0.5  # noqa: PLR2004 (a coin)
            case "null":
                return None
        return texts.text(schema, place, self.pen)

    def _branch(self, branches: Branches, place: Place) -> Schema:
        """The first branch that is not null, another when that was tried in vain; the flattest when deep."""
        if not branches:
            raise UnsatisfiableSchemaError("a combination without branches")
        if place.depth > _DEEP:
            return min(branches, key=lambda branch: height(self.root, branch))
        if self.attempt:
            return self.pen.rng.choice(branches)
        return next((branch for branch in branches if not is_null(branch)), branches[0])

    def _listed(self, values: list[Any], place: Place) -> Any:
        """One of an enum: what the prompt asked for if it is among them."""
        if not values:
            raise UnsatisfiableSchemaError("an enum without values")
        asked = self.pen.subject.given.get(plain_name(place.name))
        return asked if place.item is None and asked in values else self.pen.rng.choice(values)

    def _amount(self, kind: str, schema: Mapping[str, Any], place: Place) -> float:
        """The number that the prompt itself gives for this property, when it seems to fit, or any that fits."""
        asked = self.pen.subject.given.get(plain_name(place.name))
        usable = not self.attempt and place.item is None and not isinstance(asked, bool)
        if (
            usable
            and isinstance(asked, int | float)
            and asked == min(max(asked, schema.get("minimum", asked)), schema.get("maximum", asked))
        ):
            return asked
        make = amounts.integer if kind == "integer" else amounts.number
        return make(schema, place.name, place.item, self.pen.rng)

    def _object(self, schema: Mapping[str, Any], place: Place) -> dict[str, Any]:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        required = list(schema.get("required", ()))
        others = schema.get("additionalProperties", True)
        made = {name: self.value(properties.get(name, others), place.property(name)) for name in required}
        if place.depth < _DEEP:
            for name in [name for name in properties if name not in made]:
                self._add_optional(made, name, properties[name], place)
        wanted = max(int(schema.get("minProperties", 0)), 0 if properties or made else 2)
        self._add_free(made, schema, wanted, place)
        made = {name: made[name] for name in dict.fromkeys([*properties, *made]) if name in made}
        surplus = len(made) - int(schema.get("maxProperties", len(made)))
        for name in [name for name in reversed(made) if name not in required][: max(0, surplus)]:
            del made[name]
        return made

    def _add_optional(self, made: dict[str, Any], name: str, schema: Schema, place: Place) -> None:
        try:
            made[name] = self.value(schema, place.property(name))
        except UnsatisfiableSchemaError:
            return

    def _add_free(self, made: dict[str, Any], schema: Mapping[str, Any], wanted: int, place: Place) -> None:
        """Fills an object up with properties whose names the schema leaves to us."""
        patterns: Mapping[str, Schema] = schema.get("patternProperties", {})
        pattern, described = next(iter(patterns.items()), (None, schema.get("additionalProperties", True)))
        if described is False or place.depth > _TOO_DEEP:
            return
        labels = {"type": "string", "maxLength": 40, **({"pattern": pattern} if pattern else {})}
        for number in range(_SAME_ITEM_TRIES + wanted):
            if len(made) >= wanted:
                return
            label = texts.text(labels, Place("keyword", number), self.pen)
            if label not in made:
                made[label] = self.value(described, place.property(label))

    def _array(self, schema: Mapping[str, Any], place: Place) -> list[Any]:
        leading: list[Schema] = list(schema.get("prefixItems", ()))
        rest: Schema = schema.get("items", True)
        low, high = int(schema.get("minItems", 0)), int(schema.get("maxItems", _MAX_ITEMS))
        usual = max(self._usual_count(rest, place), len(leading))
        count = min(max(0 if place.depth > _DEEP else usual, low), high)
        if max(count, low) > _MAX_ITEMS:
            raise UnsatisfiableSchemaError(f"more than {_MAX_ITEMS} items")
        items: list[Any] = []
        for number in range(count):
            described = leading[number] if number < len(leading) else rest
            if described is False and number >= low:
                break
            made = self._append(items, described, place, count, unique=bool(schema.get("uniqueItems")))
            if not made and number >= low:
                break
        return items

    def _usual_count(self, items: Schema, place: Place) -> int:
        """How many items a list has when it may have any number."""
        wanted = len(wishes.values_for(place.name, self.pen.subject))
        if _LISTED_NAMES.search(place.name):
            return max(5, wanted)
        usual = wanted or 3 - place.depth // 2
        spoken = any(names.is_spoken(name) for name in properties_of(self.root, items))
        return wishes.parts(usual, place, self.pen.subject) if spoken else usual

    def _append(self, items: list[Any], schema: Schema, place: Place, count: int, *, unique: bool) -> bool:
        """Adds an item unlike the others; one that is like another when there is none and it need not be `unique`."""
        for number in range(_SAME_ITEM_TRIES if unique else _OTHER_TEXT_TRIES):
            made = self.value(schema, place.element(len(items) + number, count))
            if made not in items or not (unique or isinstance(made, str)):
                items.append(made)
                return True
        if not unique:
            items.append(made)
        return not unique
