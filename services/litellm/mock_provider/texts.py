"""Strings that mean what their property's name says and keep a schema's length, format and pattern."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mock_provider import names, wishes
from mock_provider.patterns import matching
from mock_provider.schemas import UnsatisfiableSchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random
    from typing import TypeAlias

    from mock_provider.place import Place
    from mock_provider.prompt import Subject
    from mock_provider.writing import Pen

    Writer: TypeAlias = Callable[[Pen, Place], str]

MAX_CHARACTERS = 100_000
_PATTERN_TRIES = 60
_SPOKEN_WORDS = 40


def _slug(subject: Subject) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", subject.topic.casefold())[:4]) or "subject"


def _url(pen: Pen, place: Place) -> str:
    return f"https://example.com/{_slug(pen.subject)}/{pen.rng.randint(1, 999)}-{place.item or 0}"


def _day(rng: Random) -> str:
    return f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _time(rng: Random) -> str:
    return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}Z"


def _timecode(_: Pen, place: Place) -> str:
    seconds = 10 * (place.item or 0)
    return f"00:{seconds // 60:02}:{seconds % 60:02}"


def _keyword(pen: Pen, place: Place) -> str:
    return pen.keyword(place.item or 0)


def _hashtag(pen: Pen, place: Place) -> str:
    words = re.findall(r"\w+", _keyword(pen, place))
    return "#" + "".join(word[:1].upper() + word[1:] for word in words)


def _heading(pen: Pen, place: Place) -> str:
    in_part = place.item is not None and not place.listed
    return pen.heading(place.points if in_part else ())


def _speech(pen: Pen, place: Place) -> str:
    return pen.speech(wishes.spoken_words(place, pen.subject) or _SPOKEN_WORDS, place.points)


def _hook(pen: Pen, _: Place) -> str:
    audience = pen.subject.given.get("audience")
    return f"For {audience}: {pen.sentence()}" if isinstance(audience, str) and audience.strip() else pen.sentence()


_FORMATS: dict[str, Writer] = {
    "date": lambda pen, _: _day(pen.rng),
    "date-time": lambda pen, _: f"{_day(pen.rng)}T{_time(pen.rng)}",
    "time": lambda pen, _: _time(pen.rng),
    "duration": lambda pen, _: f"PT{pen.rng.randint(5, 59)}S",
    "email": lambda pen, _: f"{_slug(pen.subject)}.{pen.rng.randint(1, 999)}@example.com",
    "hostname": lambda pen, _: f"{_slug(pen.subject)}-{pen.rng.randint(1, 999)}.example.com",
    "ipv4": lambda pen, _: f"192.0.2.{pen.rng.randint(1, 254)}",
    "ipv6": lambda pen, _: f"2001:db8::{pen.rng.randint(1, 9999)}",
    "uri": _url,
    "uri-reference": _url,
    "uuid": lambda pen, _: str(UUID(int=pen.rng.getrandbits(128), version=4)),
}
_STYLES = ("cinematic", "documentary", "minimalist", "playful", "dramatic")
_CATEGORIES = ("Education", "Science & Technology", "Entertainment", "News")
_WORDS_TO_WRITERS: tuple[tuple[str, Writer], ...] = (
    ("hashtag hashtags", _hashtag),
    ("tag tags keyword keywords term terms", _keyword),
    ("title titles headline headlines heading", _heading),
    ("topic subject theme", lambda pen, _: pen.subject.topic),
    ("url uri link href", _url),
    ("email", _FORMATS["email"]),
    ("slug id identifier", lambda pen, place: f"{_slug(pen.subject)}-{(place.item or 0) + 1}"),
    ("date day published", _FORMATS["date"]),
    ("timestamp timecode start end", _timecode),
    ("language locale lang", lambda *_: "en"),
    ("color colors colour colours palette", lambda pen, _: f"#{pen.rng.getrandbits(24):06x}"),
    ("style mood tone", lambda pen, _: pen.rng.choice(_STYLES)),
    ("category genre", lambda pen, _: pen.rng.choice(_CATEGORIES)),
    ("prompt visual visuals image picture scene composition background shot", lambda pen, _: pen.picture()),
    ("narration narrations script voiceover speech spoken", _speech),
    ("content body description summary text answer", lambda pen, _: pen.sentences(pen.rng.randint(2, 4))),
    ("action cta", lambda pen, _: pen.call_to_action()),
    ("hook", _hook),
    ("name label speaker word", lambda pen, place: _keyword(pen, place).title()),
)
_WRITERS = {word: writer for words, writer in _WORDS_TO_WRITERS for word in words.split()}


def _writer_of(name: str) -> Writer:
    """The writer for the last word of the name that has one: an image_description is a description.

    What is to be left out, and what is set on an image, is so wherever the name says it.
    """
    words = names.words_of(name)
    if names.is_negative(name):
        return lambda pen, place: pen.flaw() if place.listed else pen.unwanted()
    if {"overlay", "overlays"}.intersection(words):
        return lambda pen, _: pen.overlay()
    known = (_WRITERS[word] for word in reversed(words) if word in _WRITERS)
    return next(known, lambda pen, _: pen.sentence())


def text(schema: Mapping[str, Any], place: Place, pen: Pen) -> str:
    """A string for the property at `place`.

    Raises UnsatisfiableSchemaError when none is found, re.error for a pattern that is not Python's.
    """
    low, high = int(schema.get("minLength", 0)), int(schema.get("maxLength", MAX_CHARACTERS))
    if low > min(high, MAX_CHARACTERS):
        raise UnsatisfiableSchemaError(f"no text of {low} characters for {place.name or 'the schema'}")
    write = _FORMATS.get(str(schema.get("format"))) or _writer_of(place.name)
    written = _fitted(wishes.text_for(place, pen.subject) or write(pen, place), low, high, pen)
    pattern = schema.get("pattern")
    if pattern is None or re.search(pattern, written):
        return written
    return _patterned(pattern, low, high, pen.rng)


def _fitted(written: str, low: int, high: int, pen: Pen) -> str:
    """The text made longer by whole sentences, or cut, between words if that leaves enough."""
    while len(written) < low:
        written = f"{written} {pen.sentence()}"
    if len(written) <= high:
        return written
    whole_words = written[: high + 1].rpartition(" ")[0].rstrip(" ,;:-")
    return whole_words if whole_words and len(whole_words) >= low else written[:high]


def _patterned(pattern: str, low: int, high: int, rng: Random) -> str:
    for attempt in range(_PATTERN_TRIES):
        made = matching(pattern, rng, extra=max(attempt % 8, low if attempt % 2 else 0))
        if low <= len(made) <= high and re.search(pattern, made):
            return made
    raise UnsatisfiableSchemaError(f"found no text for the pattern {pattern!r}")
