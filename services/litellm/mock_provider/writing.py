"""Sentences, titles and labels about a subject."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from mock_provider import stock
from mock_provider.prompt import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_provider.prompt import Subject

_NEW_TRIES = 12
_FITTING_TRIES = 6
_NEARLY = 0.95
_OVERLAY_WORDS = 4


class Pen:
    """Writes about one subject, and repeats itself as late as its stock of texts allows."""

    def __init__(self, subject: Subject, rng: Random) -> None:
        self.subject, self.rng = subject, rng
        self._decks: dict[tuple[str, ...], list[str]] = {}
        self._said: set[str] = set()

    def sentence(self) -> str:
        """One sentence that names the topic or one of its keywords."""
        return _capitalised(self._new(stock.SENTENCES))

    def sentences(self, count: int) -> str:
        """A paragraph of `count` sentences."""
        return " ".join(self.sentence() for _ in range(count))

    def speech(self, words: int, points: Sequence[str] = ()) -> str:
        """About `words` words to be spoken; more only when the points, which come first, are longer."""
        parts = [point if point.endswith((".", "!", "?")) else f"{point}." for point in map(_capitalised, points)]
        missing = words - _count(parts)
        for _ in range(words):
            if missing <= words * (1 - _NEARLY):
                break
            parts.append(self._fitting(missing))
            missing = words - _count(parts)
        return " ".join(parts)

    def title(self) -> str:
        """A headline that names the topic."""
        return _capitalised(self._new(stock.TITLES, titled=True))

    def heading(self, points: Sequence[str]) -> str:
        """The first of the points in short, or a title."""
        return _capitalised(one_line(points[0]).rstrip(".")) if points else self.title()

    def picture(self) -> str:
        """What an image shows, as one would tell an image model."""
        return self._new(stock.PICTURES)

    def overlay(self) -> str:
        """A few words to be set on an image."""
        return " ".join(_capitalised(self._new(stock.OVERLAYS)).split()[:_OVERLAY_WORDS]).rstrip(",;:")

    def call_to_action(self) -> str:
        """One sentence that asks for something."""
        return self._new(stock.CALLS)

    def unwanted(self) -> str:
        """What to leave out, separated by commas."""
        flaws = self.rng.sample(stock.FLAWS, len(stock.FLAWS) // 2)
        return f"{', '.join(flaws)}, anything that hides {self.subject.topic}"

    def flaw(self) -> str:
        """One thing to leave out."""
        return self._new(stock.FLAWS)

    def keyword(self, number: int) -> str:
        """The keyword with this number; when they run out, a pair of the topic's words."""
        if number < len(self.subject.keywords):
            return self.subject.keywords[number]
        endings = ("facts", "guide", "history", "science", "today")
        return f"{self.rng.choice(self.subject.keywords)} {endings[number % len(endings)]}"

    def _fitting(self, words: int) -> str:
        """A sentence of at most `words` words if there is one, or a shorter remark."""
        for templates in (stock.SENTENCES, stock.REMARKS):
            for _ in range(_FITTING_TRIES):
                made = _capitalised(self._new(templates))
                if _count([made]) <= words:
                    return made
        return stock.SHORTEST

    def _new(self, templates: tuple[str, ...], *, titled: bool = False) -> str:
        for _ in range(_NEW_TRIES):
            made = self._filled(self._dealt(templates), titled=titled)
            if made not in self._said:
                break
        self._said.add(made)
        return made

    def _dealt(self, templates: tuple[str, ...]) -> str:
        """One of the templates; none comes again before all others."""
        deck = self._decks.setdefault(templates, [])
        if not deck:
            deck.extend(self.rng.sample(templates, len(templates)))
        return deck.pop()

    def _filled(self, template: str, *, titled: bool) -> str:
        topic, keyword = self.subject.topic, self.rng.choice(self._beside_topic())
        if titled:
            topic, keyword = (topic.title() if topic == topic.lower() else topic), keyword.title()
        return template.format(topic=topic, keyword=keyword)

    def _beside_topic(self) -> Sequence[str]:
        own = [word for word in self.subject.keywords if word != self.subject.topic.casefold()]
        return own or stock.COMPANIONS


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _count(texts: Sequence[str]) -> int:
    return sum(len(text.split()) for text in texts)
