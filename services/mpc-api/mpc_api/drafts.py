"""What the model is asked for; the JSON schemas sent to the gateway are made from these."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from mpc_api import cleaning
from mpc_api.wire import Wire


def _one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


Clean = BeforeValidator(cleaning.written)
Line = Annotated[str, BeforeValidator(_one_line), Clean, StringConstraints(min_length=1, max_length=300)]
Text = Annotated[str, Clean, StringConstraints(min_length=1, max_length=5_000)]
MaybeText = Annotated[str, Clean, StringConstraints(max_length=5_000)]
Narration = Annotated[str, Clean, StringConstraints(min_length=1, max_length=20_000)]


class Draft(Wire):
    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True, allow_inf_nan=False)


class SectionDraft(Draft):
    heading: Line
    narration: Narration = Field(description="Every word that is spoken in this section")
    visual_notes: MaybeText = Field(description="What is seen meanwhile")
    seconds: float = Field(ge=0, le=36_000, description="How long this section runs")


class ScriptDraft(Draft):
    title: Line
    hook: Text = Field(description="The opening words, taken from the first section's narration")
    sections: list[SectionDraft] = Field(min_length=1, max_length=100)
    call_to_action: Text


class ThumbnailDraft(Draft):
    prompt: Text = Field(description="The prompt for the image model")
    negative_prompt: MaybeText = Field(description="What the image must not show")
    text_overlay: MaybeText = Field(description="Words set on the image; empty when there are none")
    composition: Text
    colours: list[Line] = Field(min_length=1, max_length=12)


class ChapterDraft(Draft):
    title: Line
    start_seconds: float = Field(ge=0, le=360_000, description="When the chapter begins")


class MetadataDraft(Draft):
    title: Line
    description: Text
    tags: list[Line] = Field(max_length=100, description="Search terms, without #")
    hashtags: list[Line] = Field(max_length=60, description="Each beginning with #")
    category: Line
    chapters: list[ChapterDraft] = Field(max_length=100, description="Empty unless a script is given")


# What strict mode does not promise to know: https://platform.openai.com/docs/guides/structured-outputs
# These bounds are checked here, on the answer.
_BOUNDS = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "pattern", "title"})


def strict_schema(draft: type[Draft]) -> dict[str, object]:
    """The JSON schema of `draft` in the strict dialect: every property required, no others allowed."""
    return _strict(draft.model_json_schema(by_alias=True))


def _strict(node: Mapping[str, object]) -> dict[str, object]:
    strict = {name: _strict_value(name, value) for name, value in node.items() if name not in _BOUNDS}
    if "properties" in strict:
        properties = strict["properties"]
        strict["required"] = list(properties) if isinstance(properties, dict) else []
        strict["additionalProperties"] = False
    return strict


def _strict_value(name: str, value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    if name in {"properties", "$defs"}:
        # Here the keys are names of ours: one of them is `title`.
        return {key: _strict(child) for key, child in value.items()}
    return _strict(value)
