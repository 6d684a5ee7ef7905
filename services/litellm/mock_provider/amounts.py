"""Integers and numbers that respect a schema's bounds."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mock_provider.schemas import UnsatisfiableSchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

# What is plausible, by a word in the property's name; the first that fits counts.
_PLAUSIBLE = (
    (re.compile(r"millisecond|_ms$", re.IGNORECASE), (5_000, 30_000)),
    (re.compile(r"second|duration|length", re.IGNORECASE), (5, 30)),
    (re.compile(r"minute", re.IGNORECASE), (1, 10)),
    (re.compile(r"year", re.IGNORECASE), (2020, 2026)),
    (re.compile(r"percent", re.IGNORECASE), (0, 100)),
    (re.compile(r"confidence|probability|score|rating|weight", re.IGNORECASE), (0, 1)),
    (re.compile(r"width", re.IGNORECASE), (1280, 1920)),
    (re.compile(r"height", re.IGNORECASE), (720, 1080)),
    (re.compile(r"word", re.IGNORECASE), (100, 300)),
)
_USUAL = (1, 10)
_ROOM = 10
_COUNTS_ITEMS = re.compile(r"number|index|order|position|^id$|^no$|step|rank", re.IGNORECASE)
_FINENESS = (Fraction(1, 100), Fraction(1, 10**6), Fraction(1, 10**12))


def integer(schema: Mapping[str, Any], name: str, item: int | None, rng: Random) -> int:
    """An integer for the property `name`; `item` is the position, from 0, in the list around it, if there is one.

    Raises UnsatisfiableSchemaError when no integer is within the bounds.
    """
    step = Fraction(_exact(schema["multipleOf"]).numerator) if "multipleOf" in schema else Fraction(1)
    value = _multiple(schema, _plausible(name, item), step, rng)
    if value is None:
        raise UnsatisfiableSchemaError(f"no integer fits {name or 'the schema'}")
    return int(value)


def number(schema: Mapping[str, Any], name: str, item: int | None, rng: Random) -> float:
    """Like `integer`, with two decimals, or more where the bounds are closer than that."""
    steps = (_exact(schema["multipleOf"]),) if "multipleOf" in schema else _FINENESS
    for step in steps:
        value = _multiple(schema, _plausible(name, item), step, rng)
        if value is not None:
            return int(value) if value.denominator == 1 else float(value)
    raise UnsatisfiableSchemaError(f"no number fits {name or 'the schema'}")


def _exact(bound: float) -> Fraction:
    """The number that was written: 0.1 is one tenth, not the nearest binary fraction."""
    return Fraction(str(bound))


def _plausible(name: str, item: int | None) -> tuple[int, int]:
    if item is not None and _COUNTS_ITEMS.search(name):
        return item + 1, item + 1
    return next((span for word, span in _PLAUSIBLE if word.search(name)), _USUAL)


def _multiple(schema: Mapping[str, Any], likely: tuple[int, int], step: Fraction, rng: Random) -> Fraction | None:
    """A multiple of `step` within the bounds, a likely one if there is any; None when there is none."""
    low, high = _least(schema, step), _most(schema, step)
    first, last = math.ceil(likely[0] / step), math.floor(likely[1] / step)
    if low is not None and last < low:
        first, last = low, low + _ROOM
    if high is not None and first > high:
        first, last = high - _ROOM, high
    first = first if low is None else max(first, low)
    last = last if high is None else min(last, high)
    if first > last:
        first = last = low if low is not None else high if high is not None else 0
    if (high is not None and first > high) or (low is not None and last < low):
        return None
    return rng.randint(first, last) * step


def _least(schema: Mapping[str, Any], step: Fraction) -> int | None:
    bounds = [math.ceil(_exact(schema["minimum"]) / step)] if "minimum" in schema else []
    exclusive = schema.get("exclusiveMinimum", False)
    if exclusive is True and bounds:  # draft 4
        bounds = [math.floor(_exact(schema["minimum"]) / step) + 1]
    elif not isinstance(exclusive, bool):
        bounds.append(math.floor(_exact(exclusive) / step) + 1)
    return max(bounds, default=None)


def _most(schema: Mapping[str, Any], step: Fraction) -> int | None:
    bounds = [math.floor(_exact(schema["maximum"]) / step)] if "maximum" in schema else []
    exclusive = schema.get("exclusiveMaximum", False)
    if exclusive is True and bounds:  # draft 4
        bounds = [math.ceil(_exact(schema["maximum"]) / step) - 1]
    elif not isinstance(exclusive, bool):
        bounds.append(math.ceil(_exact(exclusive) / step) - 1)
    return min(bounds, default=None)
