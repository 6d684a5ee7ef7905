"""What callers get, made from a draft: what can be computed is computed here and not taken from the model."""

import re
from collections.abc import Iterable, Sequence

from mpc_api.drafts import MetadataDraft, ScriptDraft, ThumbnailDraft
from mpc_api.inputs import MetadataRequest, ScriptRequest, ThumbnailRequest
from mpc_api.wire import Usage, Wire

# A calm voice-over: 150 words a minute; Chinese and Japanese are counted by character, about 270 a minute.
WORDS_PER_SECOND = 2.5
CHARACTERS_PER_SECOND = 4.5

_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"\w+(?:['\u2019\-.,]\w+)*")


class Section(Wire):
    heading: str
    narration: str
    visual_notes: str
    seconds: int


class Script(Wire):
    """`sections[].seconds` add up to the duration asked for; `estimatedSeconds` is the spoken length."""

    title: str
    hook: str
    sections: list[Section]
    call_to_action: str
    word_count: int
    estimated_seconds: int
    usage: Usage


class Thumbnail(Wire):
    prompt: str
    negative_prompt: str
    text_overlay: str
    composition: str
    colours: list[str]
    aspect_ratio: str
    usage: Usage


class Chapter(Wire):
    title: str
    start_seconds: int


class Metadata(Wire):
    title: str
    description: str
    tags: list[str]
    hashtags: list[str]
    category: str
    chapters: list[Chapter]
    usage: Usage


def script(wanted: ScriptRequest, draft: ScriptDraft, usage: Usage) -> Script:
    seconds = apportion(wanted.duration, [section.seconds for section in draft.sections])
    sections = [
        Section(
            heading=section.heading,
            narration=section.narration,
            visual_notes=section.visual_notes,
            seconds=share,
        )
        for section, share in zip(draft.sections, seconds, strict=True)
    ]
    words, spoken_seconds = spoken(" ".join(section.narration for section in draft.sections))
    return Script(
        title=draft.title,
        hook=draft.hook,
        sections=sections,
        call_to_action=draft.call_to_action,
        word_count=words,
        estimated_seconds=spoken_seconds,
        usage=usage,
    )


def thumbnail(wanted: ThumbnailRequest, draft: ThumbnailDraft, usage: Usage) -> Thumbnail:
    return Thumbnail(
        prompt=draft.prompt,
        negative_prompt=draft.negative_prompt,
        text_overlay=draft.text_overlay if wanted.text_overlay is None else wanted.text_overlay,
        composition=draft.composition,
        colours=draft.colours,
        aspect_ratio=wanted.aspect_ratio,
        usage=usage,
    )


def metadata(wanted: MetadataRequest, draft: MetadataDraft, usage: Usage) -> Metadata:
    chapters = sorted(draft.chapters, key=lambda chapter: chapter.start_seconds) if wanted.script else []
    return Metadata(
        title=draft.title,
        description=draft.description,
        tags=_unique(tag.lstrip("# ") for tag in draft.tags),
        hashtags=_unique("#" + "".join(tag.lstrip("#").split()) for tag in draft.hashtags),
        category=draft.category,
        chapters=[Chapter(title=one.title, start_seconds=round(one.start_seconds)) for one in chapters],
        usage=usage,
    )


def spoken(text: str) -> tuple[int, int]:
    """How many words `text` has and how many seconds it takes to say, at least 1."""
    characters = len(_IDEOGRAPH.findall(text))
    words = len(_WORD.findall(_IDEOGRAPH.sub(" ", text)))
    seconds = words / WORDS_PER_SECOND + characters / CHARACTERS_PER_SECOND
    return words + characters, max(1, round(seconds))


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Whole shares of `total` in proportion to `weights`, adding up to it exactly (largest remainder)."""
    shares = list(weights) if sum(weights) > 0 else [1.0] * len(weights)
    exact = [total * share / sum(shares) for share in shares]
    whole = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: whole[index] - exact[index])
    for index in by_remainder[: total - sum(whole)]:
        whole[index] += 1
    return whole


def _unique(values: Iterable[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value.strip("#")]
