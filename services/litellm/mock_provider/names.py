"""What the name of a property or of a request's field says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NEGATIVE = re.compile(r"negative|avoid|exclude")
_SPOKEN = frozenset(("narration", "narrations", "voiceover", "script", "speech", "spoken"))
# The ends of names that mean the same list, in the request and in the answer.
COLOURS = ("colour", "colours", "color", "colors", "palette")
KEYWORDS = ("keyword", "keywords", "tag", "tags", "terms")
POINTS = ("points",)


def plain_name(name: str) -> str:
    """A name without case and separators: `durationSeconds`, `duration_seconds` and `Duration-Seconds` are one."""
    return re.sub(r"[\W_]", "", name).casefold()


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: `imageURL` and `image_url` are image and url."""
    return [word.lower() for word in _WORD.findall(name)]


def is_negative(name: str) -> bool:
    """Whether the name asks what to leave out: `negativePrompt`, `avoid`, `excluded_terms`."""
    return any(_NEGATIVE.match(word) for word in words_of(name))


def is_spoken(name: str) -> bool:
    """Whether the name is that of words to be spoken, which take their time."""
    return bool(_SPOKEN.intersection(words_of(name)[-1:]))


def ends_with(name: str, ends: tuple[str, ...]) -> bool:
    """Whether the name's last word is one of `ends` and the name is not negative."""
    return words_of(name)[-1:] in [[end] for end in ends] and not is_negative(name)


def list_named(lists: Mapping[str, tuple[str, ...]], ends: tuple[str, ...]) -> tuple[str, ...]:
    """The first of the named lists whose name ends so."""
    return next((values for name, values in lists.items() if ends_with(name, ends)), ())
