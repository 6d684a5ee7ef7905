"""A draft of metadata, brought inside the limits of its platform."""

from collections.abc import Iterable
from dataclasses import dataclass

import regex

from mpc_api.chapters import FEWEST, Mark, clock
from mpc_api.cutting import cut
from mpc_api.platforms import Platform, tags_size

# Hashtags and chapters may each take this much of what is posted; the words are worth more.
_SHARE = 0.4
_LONGEST_CHAPTER_TITLE = 100
_LONGEST_HASHTAG = 100

_ANGLES = str.maketrans("<>", "\u2039\u203a")
_NOT_IN_HASHTAG = regex.compile(r"[^\p{L}\p{M}\p{N}_]")
_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True)
class Bounded:
    title: str
    description: str
    tags: list[str]
    hashtags: list[str]
    chapters: list[Mark]


def bounded(  # noqa: PLR0917  # the parts of one draft
    platform: Platform,
    title: str,
    description: str,
    tags: Iterable[str],
    hashtags: Iterable[str],
    marks: list[Mark],
) -> Bounded:
    """Every part inside `platform`'s limits; description, chapter lines and hashtags also when posted together."""
    limit = platform.description
    chapters = _chapters(platform, marks)
    kept = _hashtags(platform, hashtags)
    rest = posted(platform, "", kept, chapters)
    room = limit.most - (limit.size(rest) + 2 if rest else 0)
    return Bounded(
        title=cut(_allowed(platform, title), platform.title.most, platform.title.size),
        description=cut(_allowed(platform, description), room, limit.size),
        tags=_tags(platform, tags),
        hashtags=kept,
        chapters=chapters,
    )


def posted(platform: Platform, description: str, hashtags: Iterable[str], marks: Iterable[Mark]) -> str:
    """What is put into the platform's field together: description, chapters where they are known, hashtags."""
    lines = [f"{clock(second)} {title}" for second, title in marks] if platform.chapters else []
    return "\n\n".join(filter(None, [description, "\n".join(lines), " ".join(hashtags)]))


def _allowed(platform: Platform, text: str) -> str:
    """`<` and `>`, where they are refused, become single angle quotation marks."""
    return text.translate(_ANGLES) if platform.refused else text


def _chapters(platform: Platform, marks: Iterable[Mark]) -> list[Mark]:
    """As many chapters, from the first on, as have room; none when fewer than the rules want."""
    limit = platform.description
    kept: list[Mark] = []
    for second, title in marks:
        more = [*kept, (second, cut(_allowed(platform, title), _LONGEST_CHAPTER_TITLE))]
        if limit.size(posted(platform, "", [], more)) > limit.most * _SHARE:
            break
        kept = more
    return kept if len(kept) >= FEWEST else []


def _hashtags(platform: Platform, drafted: Iterable[str]) -> list[str]:
    limit = platform.description
    kept: list[str] = []
    for word in (_NOT_IN_HASHTAG.sub("", one) for one in drafted):
        more = [*kept, f"#{word}"]
        usable = _LETTER.search(word) and len(word) <= _LONGEST_HASHTAG and more[-1] not in kept
        if usable and limit.size(" ".join(more)) <= limit.most * _SHARE:
            kept = more
    return kept[: platform.hashtags]


def _tags(platform: Platform, drafted: Iterable[str]) -> list[str]:
    limit = platform.tags
    kept: list[str] = []
    for tag in (" ".join(_allowed(platform, one).replace(",", " ").split()).strip('# "') for one in drafted):
        more = [*kept, tag]
        if tag and tag not in kept and (limit is None or tags_size(more, limit.size) <= limit.most):
            kept = more
    return kept
