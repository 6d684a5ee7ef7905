"""What callers get, made from a draft: what can be computed is computed here and not taken from the model."""

from collections.abc import Iterable, Sequence

from pydantic import Field

from mpc_api import languages
from mpc_api.bounding import bounded
from mpc_api.chapters import by_the_rules, clock
from mpc_api.drafts import MetadataDraft, ScriptDraft, ThumbnailDraft
from mpc_api.inputs import MetadataRequest, ScriptRequest, ThumbnailRequest
from mpc_api.platforms import PLATFORMS
from mpc_api.speech import fits, spoken
from mpc_api.wire import Usage, Wire

_MOST_COLOURS = 12


class Checks(Wire):
    """What was asked for, looked at in the answer: false means not honoured, after one attempt to repair it.

    `languageOk` is null where the language cannot be told: short texts, and languages that share a script beside
    Latin. `durationOk`: the narration takes 50 to 125 % of the duration to say.
    """

    language_ok: bool | None
    duration_ok: bool | None = None


class Section(Wire):
    heading: str
    narration: str
    visual_notes: str
    seconds: int


class Answer(Wire):
    usage: Usage


class Script(Answer):
    """`sections[].seconds` add up to the duration asked for; `estimatedSeconds` is the spoken length."""

    title: str
    hook: str
    sections: list[Section]
    call_to_action: str
    word_count: int
    estimated_seconds: int
    language: str
    checks: Checks


class Thumbnail(Answer):
    prompt: str
    negative_prompt: str
    text_overlay: str
    composition: str
    colours: list[str]
    aspect_ratio: str


class Chapter(Wire):
    title: str
    start_seconds: int
    timestamp: str = Field(description="As in a description: 0:00, 12:34 or 1:02:03")


class Metadata(Answer):
    """Every part is inside the platform's limits, description, chapters and hashtags also when posted together."""

    title: str
    description: str
    tags: list[str]
    hashtags: list[str]
    category: str
    chapters: list[Chapter]
    platform: str
    language: str
    checks: Checks


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
    narration = _narration(draft)
    words, spoken_seconds = spoken(narration)
    checks = Checks(
        language_ok=languages.is_written_in(wanted.language, narration),
        duration_ok=fits(wanted.duration, spoken_seconds),
    )
    return Script(
        title=draft.title,
        hook=draft.hook,
        sections=sections,
        call_to_action=draft.call_to_action,
        word_count=words,
        estimated_seconds=spoken_seconds,
        language=wanted.language,
        checks=checks,
        usage=usage,
    )


def script_faults(wanted: ScriptRequest, draft: ScriptDraft) -> list[str]:
    """What a valid draft does not honour, in words for the model."""
    narration = _narration(draft)
    words, seconds = spoken(narration)
    faults = _language_faults(wanted.language, narration)
    if not fits(wanted.duration, seconds):
        faults.append(
            f"sections: the narrations have {words} words and take about {seconds} seconds to say, "
            f"but `duration` is {wanted.duration}: write about {round(words * wanted.duration / seconds)} words"
        )
    if len(draft.sections) > wanted.duration:
        faults.append(f"sections: {len(draft.sections)} are too many for {wanted.duration} seconds")
    return faults


def thumbnail(wanted: ThumbnailRequest, draft: ThumbnailDraft, usage: Usage) -> Thumbnail:
    return Thumbnail(
        prompt=draft.prompt,
        negative_prompt=draft.negative_prompt,
        text_overlay=draft.text_overlay if wanted.text_overlay is None else wanted.text_overlay,
        composition=draft.composition,
        colours=_unique([*wanted.brand_colours, *draft.colours])[:_MOST_COLOURS],
        aspect_ratio=wanted.aspect_ratio,
        usage=usage,
    )


def metadata(wanted: MetadataRequest, draft: MetadataDraft, usage: Usage) -> Metadata:
    marks = by_the_rules(
        [(chapter.start_seconds, chapter.title) for chapter in draft.chapters] if wanted.script else [],
        spoken(wanted.script or "")[1],
    )
    kept = bounded(PLATFORMS[wanted.platform], draft.title, draft.description, draft.tags, draft.hashtags, marks)
    return Metadata(
        title=kept.title,
        description=kept.description,
        tags=kept.tags,
        hashtags=kept.hashtags,
        category=draft.category,
        chapters=[
            Chapter(title=title, start_seconds=second, timestamp=clock(second)) for second, title in kept.chapters
        ],
        platform=wanted.platform,
        language=wanted.language,
        checks=Checks(language_ok=languages.is_written_in(wanted.language, draft.description)),
        usage=usage,
    )


def metadata_faults(wanted: MetadataRequest, draft: MetadataDraft) -> list[str]:
    return _language_faults(wanted.language, draft.description)


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Whole shares of `total` in proportion to `weights`, adding up to it exactly (largest remainder).

    Every share is at least 1 when there is enough for all.
    """
    least = 1 if total >= len(weights) else 0
    rest = total - least * len(weights)
    shares = list(weights) if sum(weights) > 0 else [1.0] * len(weights)
    # What a share already has of its proportion is not given to it again.
    missing = [max(0.0, total * share / sum(shares) - least) for share in shares]
    scale = rest / sum(missing) if sum(missing) > 0 else 0.0
    exact = [one * scale for one in missing]
    whole = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: whole[index] - exact[index])
    for index in by_remainder[: rest - sum(whole)]:
        whole[index] += 1
    return [least + share for share in whole]


def _narration(draft: ScriptDraft) -> str:
    return " ".join(section.narration for section in draft.sections)


def _language_faults(language: str, text: str) -> list[str]:
    if languages.is_written_in(language, text) is not False:
        return []
    return [f"the text is not written in `language`, which is {language}: write all of it in that language"]


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
