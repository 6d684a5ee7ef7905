"""Strings that mean what their property's name says and keep a schema's length, format and pattern."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mock_provider import writing
from mock_provider.patterns import matching
from mock_provider.prompt import plain_name
from mock_provider.schemas import UnsatisfiableSchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random
    from typing import TypeAlias

    from mock_provider.prompt import Subject

    Writer: TypeAlias = Callable[[Subject, Random, int], str]

MAX_CHARACTERS = 100_000
_PATTERN_TRIES = 60


def _slug(subject: Subject) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", subject.topic.casefold())[:4]) or "subject"


def _url(subject: Subject, rng: Random, number: int) -> str:
    return f"https://example.com/{_slug(subject)}/{rng.randint(1, 999)}-{number}"


def _day(rng: Random) -> str:
    return f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _time(rng: Random) -> str:
    return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}Z"


def _hashtag(subject: Subject, rng: Random, number: int) -> str:
    words = re.findall(r"\w+", writing.keyword(subject, rng, number))
    return "#" + "".join(word[:1].upper() + word[1:] for word in words)


_FORMATS: dict[str, Writer] = {
    "date": lambda _, rng, __: _day(rng),
    "date-time": lambda _, rng, __: f"{_day(rng)}T{_time(rng)}",
    "time": lambda _, rng, __: _time(rng),
    "duration": lambda _, rng, __: f"PT{rng.randint(5, 59)}S",
    "email": lambda subject, rng, __: f"{_slug(subject)}.{rng.randint(1, 999)}@example.com",
    "hostname": lambda subject, rng, __: f"{_slug(subject)}-{rng.randint(1, 999)}.example.com",
    "ipv4": lambda _, rng, __: f"192.0.2.{rng.randint(1, 254)}",
    "ipv6": lambda _, rng, __: f"2001:db8::{rng.randint(1, 9999)}",
    "uri": _url,
    "uri-reference": _url,
    "uuid": lambda _, rng, __: str(UUID(int=rng.getrandbits(128), version=4)),
}
_STYLES = ("cinematic", "documentary", "minimalist", "playful", "dramatic")
_CATEGORIES = ("Education", "Science & Technology", "Entertainment", "News")
_WORDS_TO_WRITERS: tuple[tuple[str, Writer], ...] = (
    ("hashtag hashtags", _hashtag),
    ("tag tags keyword keywords term terms", writing.keyword),
    ("title titles headline headlines heading", lambda subject, rng, _: writing.title(subject, rng)),
    ("topic subject theme", lambda subject, _, __: subject.topic),
    ("url uri link href", _url),
    ("email", _FORMATS["email"]),
    ("slug id identifier", lambda subject, _, number: f"{_slug(subject)}-{number + 1}"),
    ("date day published", _FORMATS["date"]),
    ("timestamp timecode start end", lambda _, __, number: f"00:{number * 10 // 60:02}:{number * 10 % 60:02}"),
    ("language locale lang", lambda *_: "en"),
    ("color colors colour colours palette", lambda _, rng, __: f"#{rng.getrandbits(24):06x}"),
    ("style mood tone", lambda _, rng, __: rng.choice(_STYLES)),
    ("category genre", lambda _, rng, __: rng.choice(_CATEGORIES)),
    (
        "prompt visual visuals image picture scene composition background shot",
        lambda subject, rng, _: writing.picture(subject, rng),
    ),
    (
        "narration script content body description summary voiceover text answer",
        lambda subject, rng, _: writing.sentences(subject, rng, rng.randint(2, 4)),
    ),
    ("name label speaker word", lambda subject, rng, number: writing.keyword(subject, rng, number).title()),
)
# A short value of this name in the prompt is taken as it is.
_TAKEN_OVER = (
    "topic",
    "subject",
    "language",
    "locale",
    "style",
    "mood",
    "tone",
    "category",
    "genre",
    "audience",
    "platform",
)
_WRITERS = {word: writer for words, writer in _WORDS_TO_WRITERS for word in words.split()}


def _writer_of(name: str) -> Writer:
    """The writer for the last word of the name that has one: an image_description is a description."""
    words = re.findall(r"[A-Z]?[a-z]+", name)
    known = (_WRITERS[word.lower()] for word in reversed(words) if word.lower() in _WRITERS)
    return next(known, lambda subject, rng, _: writing.sentence(subject, rng))


def text(schema: Mapping[str, Any], name: str, item: int | None, subject: Subject, rng: Random) -> str:
    """A string for the property `name`; `item` is the position, from 0, in the list around it, if there is one.

    Raises UnsatisfiableSchemaError when none is found, re.error for a pattern that is not Python's.
    """
    low, high = int(schema.get("minLength", 0)), int(schema.get("maxLength", MAX_CHARACTERS))
    if low > min(high, MAX_CHARACTERS):
        raise UnsatisfiableSchemaError(f"no text of {low} characters for {name or 'the schema'}")
    asked = subject.given.get(plain_name(name)) if item is None and name.lower() in _TAKEN_OVER else None
    write = _FORMATS.get(str(schema.get("format"))) or _writer_of(name)
    written = asked if isinstance(asked, str) else write(subject, rng, item or 0)
    written = _fitted(written, low, high, subject, rng)
    pattern = schema.get("pattern")
    if pattern is None or re.search(pattern, written):
        return written
    return _patterned(pattern, low, high, rng)


def _fitted(written: str, low: int, high: int, subject: Subject, rng: Random) -> str:
    """The text made longer by whole sentences, or cut, between words if that leaves enough."""
    while len(written) < low:
        written = f"{written} {writing.sentence(subject, rng)}"
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
