"""Sentences, titles and labels about a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from mock_provider.prompt import Subject

_SENTENCES = (
    "Few things reward a closer look as much as {topic}.",
    "Ask anyone about {topic} and {keyword} comes up within a minute.",
    "Behind {topic} stands a simple idea: {keyword} matters more than it seems.",
    "To understand {topic}, begin with {keyword} and work outwards.",
    "What surprises most people about {topic} is how ordinary it looks at first.",
    "Every story of {topic} is also a story of {keyword}.",
    "The numbers behind {topic} are larger than most of us would guess.",
    "Watch {keyword} closely, and the rest of {topic} falls into place.",
    "Nobody planned for {topic} to change so much, yet it did.",
    "Today {topic} touches more of our lives than ever before.",
    "Experts still argue about {keyword}, and that is what keeps {topic} alive.",
    "Remember this one thing about {topic}: it begins and ends with {keyword}.",
)
_TITLES = (
    "{topic}: What Nobody Tells You",
    "The Surprising Truth About {topic}",
    "{topic} Explained in One Minute",
    "Why {topic} Matters More Than You Think",
    "Inside {topic}: A Closer Look",
    "{topic}, From the Beginning",
)
_PICTURES = (
    "A wide shot of {topic} at dawn, {keyword} in the foreground, warm light from the left",
    "An extreme close-up of {keyword}, {topic} out of focus behind it, deep shadows",
    "A split image: {keyword} on one side, {topic} on the other, bold contrast",
    "A bird's-eye view of {topic}, {keyword} picked out by a single beam of light",
)


_COMPANIONS = ("its history", "the science behind it", "the people involved", "its scale")


def _filled(templates: tuple[str, ...], subject: Subject, rng: Random) -> str:
    beside_topic = [word for word in subject.keywords if word != subject.topic.casefold()]
    return rng.choice(templates).format(topic=subject.topic, keyword=rng.choice(beside_topic or _COMPANIONS))


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(subject: Subject, rng: Random) -> str:
    """One sentence that names the topic or one of its keywords."""
    return _capitalised(_filled(_SENTENCES, subject, rng))


def sentences(subject: Subject, rng: Random, count: int) -> str:
    """A paragraph of `count` sentences; none appears twice while there are others."""
    templates = rng.sample(_SENTENCES, len(_SENTENCES))
    chosen = [templates[number % len(templates)] for number in range(count)]
    return " ".join(_capitalised(_filled((template,), subject, rng)) for template in chosen)


def title(subject: Subject, rng: Random) -> str:
    """A headline that names the topic."""
    topic = subject.topic if subject.topic != subject.topic.lower() else subject.topic.title()
    return _capitalised(rng.choice(_TITLES).format(topic=topic))


def picture(subject: Subject, rng: Random) -> str:
    """What an image shows, as one would tell an image model."""
    return _filled(_PICTURES, subject, rng)


def keyword(subject: Subject, rng: Random, number: int) -> str:
    """The keyword with this number; when they run out, a pair of the topic's words."""
    if number < len(subject.keywords):
        return subject.keywords[number]
    return f"{rng.choice(subject.keywords)} {('facts', 'guide', 'history', 'science', 'today')[number % 5]}"
