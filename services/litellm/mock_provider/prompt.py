"""What a conversation is about."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mock_provider.names import KEYWORDS, list_named, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_KEYWORDS = 8
MAX_LISTED = 50
MAX_TOPIC_CHARACTERS = 80
_MAX_OBJECT_STARTS = 20
_SHORTEST_WORD = 3

_TOPIC_KEYS = (
    "topic",
    "subject",
    "title",
    "theme",
    "question",
    "query",
    "prompt",
    "name",
    "script",
    "text",
    "content",
)
_TOPIC_PHRASES = (
    re.compile(r"(?i)\b(?:about|regarding|concerning|titled|called|named|topic:|topic is)\s+(.+?)(?=[.,;:!?\n]|$)"),
    re.compile(r"(?i)\b(?:on|of|for)\s+(.+?)(?=[.,;:!?\n]|$)"),
)
_STOP_WORDS = """
    a about above after again all also an and any are around as at audience be because been before being between
    both brief but by can clear could create describe did do does doing down during each explain few for from further
    generate give had has have having help her here hers him his how if in into is it its itself just keep let like
    list long make many me more most much must my need new no not now of off on once one only or other our out over
    own please prompt provide return same say schema script second seconds she short should so some such summarize
    tell than that the their them then there these they this those through to too topic under until up use user very
    video want was we were what when where which while who whom why will with words would write you your
""".split()  # noqa: SIM905 (readable)


@dataclass(frozen=True)
class Subject:
    """What to speak about: one short topic, at least one keyword, and the request's own named values.

    `given` holds the strings, numbers and booleans of a JSON object in the prompt, by `plain_name`; `listed` its
    lists of strings, by their own names.
    """

    topic: str
    keywords: tuple[str, ...]
    given: Mapping[str, str | float | bool]
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a chat message; the other parts of its content (images, audio) are left out."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def subject_of(messages: Sequence[Mapping[str, Any]]) -> Subject:
    """What the last user message is about; a JSON object anywhere in it counts as the request itself."""
    asked = [message for message in messages if message.get("role") == "user"] or list(messages)
    text = text_of(asked[-1]) if asked else ""
    request = _first_object(text)
    values = dict(_named_values(request))
    topic = one_line(_topic_of_request(request) or _topic_of_text(text)) or "this subject"
    spoken = " ".join(str(request.get(key, "")) for key in _TOPIC_KEYS) if request else text
    listed = dict(_named_lists(request))
    found = tuple(dict.fromkeys([*_keywords(topic), *_keywords(spoken)]))[:MAX_KEYWORDS]
    keywords = tuple(dict.fromkeys([*list_named(listed, KEYWORDS), *found]))
    return Subject(topic=topic, keywords=keywords or (topic,), given=values, listed=listed)


def _first_object(text: str) -> dict[str, Any]:
    decoder = json.JSONDecoder()
    starts = [found.start() for found in re.finditer(r"\{", text)][:_MAX_OBJECT_STARTS]
    for start in starts:
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if value:
            return dict(value)
    return {}


def _named_values(request: Mapping[str, Any]) -> Iterator[tuple[str, str | float | bool]]:
    for name, value in request.items():
        if isinstance(value, str | int | float):
            yield plain_name(name), value


def _named_lists(request: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, value in request.items():
        texts = [text.strip() for text in value if isinstance(text, str)] if isinstance(value, list) else []
        yield name, tuple(dict.fromkeys(filter(None, texts)))[:MAX_LISTED]


def _topic_of_request(request: Mapping[str, Any]) -> str:
    preferred = [request.get(key) for key in _TOPIC_KEYS]
    return next((value for value in [*preferred, *request.values()] if isinstance(value, str) and value.strip()), "")


def _topic_of_text(text: str) -> str:
    for phrase in _TOPIC_PHRASES:
        found = phrase.search(text)
        if found and _keywords(found[1]):
            return found[1]
    return " ".join(_keywords(text)[:3]) or text


def one_line(topic: str) -> str:
    """A short line without quotes around it, cut between words."""
    line = " ".join(topic.split()).strip("\"'`<>*# \u2018\u2019\u201c\u201d")
    if len(line) <= MAX_TOPIC_CHARACTERS:
        return line
    first_sentence = re.split(r"(?<=[.!?])\s", line)[0].rstrip(".!?")
    if len(first_sentence) <= MAX_TOPIC_CHARACTERS:
        return first_sentence
    return " ".join(_keywords(line)[:4]) or line[:MAX_TOPIC_CHARACTERS]


def _keywords(text: str) -> list[str]:
    """The telling words of a text in small letters, the most frequent first."""
    words = (word.casefold() for word in re.findall(r"[^\W\d_][\w'\u2019-]*\w|[^\W\d_]", text))
    counted = Counter(
        word for word in words if word not in _STOP_WORDS and (len(word) >= _SHORTEST_WORD or not word.isascii())
    )
    return [word for word, _ in counted.most_common() if len(word) <= MAX_TOPIC_CHARACTERS]
