"""A text that matches a regular expression."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

# The standard library's own parser, public as `sre_parse` until Python 3.11.
_PARSER: Any = importlib.import_module("re._parser")

_CATEGORIES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_SPACE": " ",
    "CATEGORY_WORD": "abcdefghijklmnopqrstuvwxyz0123456789_",
    "CATEGORY_NOT_DIGIT": "abcdefghij",
    "CATEGORY_NOT_SPACE": "abcdefghij0123456789",
    "CATEGORY_NOT_WORD": " -.,!",
}
_ANY = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,:;!?#/@"
_MAX_RANGE = 128


def matching(pattern: str, rng: Random, *, extra: int) -> str:
    """A text made along `pattern`, every open repetition with up to `extra` more rounds than it must have.

    Look-arounds and word boundaries are not obeyed: check the result. Raises re.error for a pattern that
    is not Python's.
    """
    groups: dict[int, str] = {}
    return _all(_PARSER.parse(pattern), rng, extra, groups)


def _all(parts: Any, rng: Random, extra: int, groups: dict[int, str]) -> str:
    return "".join(_one(str(operation), argument, rng, extra, groups) for operation, argument in parts)


def _one(operation: str, argument: Any, rng: Random, extra: int, groups: dict[int, str]) -> str:  # noqa: PLR0911
    match operation:
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return rng.choice([character for character in _ANY if ord(character) != argument])
        case "ANY":
            return rng.choice(_ANY)
        case "IN":
            return rng.choice(_characters(argument))
        case "BRANCH":
            return _all(rng.choice(argument[1]), rng, extra, groups)
        case "SUBPATTERN":
            groups[argument[0]] = _all(argument[-1], rng, extra, groups)
            return groups[argument[0]]
        case "GROUPREF":
            return groups.get(argument, "")
        case "ATOMIC_GROUP":
            return _all(argument, rng, extra, groups)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, repeated = argument
            rounds = rng.randint(least, max(least, min(int(most), least + extra)))
            return "".join(_all(repeated, rng, extra, groups) for _ in range(rounds))
    return ""


def _characters(members: Any) -> str:
    """The characters of a class like [a-z_] or [^"]; of an endless one, some."""
    negated = bool(members) and str(members[0][0]) == "NEGATE"
    listed = "".join(_member(str(kind), argument) for kind, argument in members)
    return "".join(character for character in _ANY if character not in listed) or "~" if negated else listed


def _member(kind: str, argument: Any) -> str:
    if kind == "LITERAL":
        return chr(argument)
    if kind == "RANGE":
        first, last = argument
        return "".join(map(chr, range(first, min(last, first + _MAX_RANGE) + 1)))
    return _CATEGORIES.get(str(argument), "") if kind == "CATEGORY" else ""
