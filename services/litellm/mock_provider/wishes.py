"""What the request's own JSON says about a part of the answer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mock_provider import names
from mock_provider.names import plain_name

if TYPE_CHECKING:
    from mock_provider.place import Place
    from mock_provider.prompt import Subject

_WORDS_PER_SECOND = 2.5
_LONGEST_SECONDS = 3_600
_SHORTEST_PART_SECONDS = 6
_LONGEST_PART_SECONDS = 300
# Lists whose names end so mean the same, in the request and in the answer.
_KINDS = (names.COLOURS, names.KEYWORDS)
_OTHER_UNITS = ("minute", "hour", "milli", "ms")
# A short value of this name in the request is taken as it is; two names may mean the same.
_SAME = """
    topic, subject, language, locale, style, mood, tone, category, genre, audience, platform,
    calltoaction cta, textoverlay overlaytext overlay
"""
_TAKEN_OVER = {name: group.split() for group in _SAME.split(",") for name in group.split()}


def text_for(place: Place, subject: Subject) -> str | None:
    """The request's own words for the string at `place`, if it has any."""
    wanted = values_for(place.name, subject)
    if place.listed:
        return wanted[place.item] if place.item is not None and place.item < len(wanted) else None
    if place.item is not None:
        return None
    values = [subject.given.get(name) for name in _TAKEN_OVER.get(plain_name(place.name), ())]
    if names.ends_with(place.name, names.COLOURS):
        values += wanted
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def values_for(name: str, subject: Subject) -> tuple[str, ...]:
    """The request's list for the property `name`: of the same name, or one that means the same."""
    same = (values for key, values in subject.listed.items() if plain_name(key) == plain_name(name))
    kinds = (names.list_named(subject.listed, ends) for ends in _KINDS if names.ends_with(name, ends))
    return next(same, None) or next(kinds, ())


def seconds(subject: Subject) -> float | None:
    """The length that the request asks for, at most an hour."""
    for name, value in subject.given.items():
        counted = "duration" in name and not any(unit in name for unit in _OTHER_UNITS)
        if counted and not isinstance(value, bool | str) and value > 0:
            return min(value, _LONGEST_SECONDS)
    return None


def spoken_words(place: Place, subject: Subject) -> int | None:
    """How many words fit into the time of what is spoken at `place`."""
    whole = seconds(subject)
    return None if whole is None else max(1, round(whole * _WORDS_PER_SECOND / place.share))


def parts(usual: int, place: Place, subject: Subject) -> int:
    """Into how many parts to divide what is spoken: one a key point, none too short or too long to say."""
    whole = seconds(subject)
    if whole is not None:
        usual = max(min(usual, int(whole // _SHORTEST_PART_SECONDS)), math.ceil(whole / _LONGEST_PART_SECONDS))
    return max(1, usual, len(place.points))
