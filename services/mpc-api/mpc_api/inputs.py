"""What callers may ask for. Lengths are in characters; unknown fields are refused."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from mpc_api import cleaning, languages
from mpc_api.platforms import Name
from mpc_api.wire import Wire


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _number(value: object) -> object:
    """JSON has numbers: a text or a boolean is not taken for one."""
    if isinstance(value, str | bool):
        raise PydanticCustomError("int_type", "Input should be a whole number")
    return value


def _unique(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


Clean = BeforeValidator(cleaning.given)
Line = Annotated[str, Clean, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, Clean, StringConstraints(min_length=1, max_length=500)]
Script = Annotated[str, Clean, StringConstraints(min_length=1, max_length=100_000)]
Keyword = Annotated[str, Clean, StringConstraints(min_length=1, max_length=60)]
Colour = Annotated[str, Clean, StringConstraints(min_length=1, max_length=40)]
# The shape of a BCP 47 tag (RFC 5646) for the document; then its registry.
Language = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35),
    AfterValidator(languages.canonical),
]
Platform = Annotated[Name, BeforeValidator(_lower)]
Format = Annotated[
    Literal["short", "long", "tutorial", "list", "story", "review", "explainer", "news"],
    BeforeValidator(_lower),
]
AspectRatio = Literal["16:9", "9:16", "1:1", "4:5", "4:3", "3:4", "21:9"]


_USUAL_FRAME: dict[str, AspectRatio] = {"tiktok": "9:16", "instagram": "4:5", "podcast": "1:1"}


def _usual_frame(fields: dict[str, str]) -> AspectRatio:
    return _USUAL_FRAME.get(fields.get("platform", ""), "16:9")


class Input(Wire):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ScriptRequest(Input):
    topic: Text
    audience: Line | None = None
    tone: Line | None = None
    language: Language = "en"
    duration: Annotated[int, BeforeValidator(_number)] = Field(
        default=60, ge=5, le=3600, description="Seconds the finished video runs"
    )
    format: Format = "short"
    key_points: list[Text] = Field(default=[], max_length=20)
    call_to_action: Text | None = None
    brand_voice: Text | None = None


class ThumbnailRequest(Input):
    """A title, a script or both."""

    title: Line | None = None
    script: Script | None = None
    style: Line | None = None
    platform: Platform = "youtube"
    aspect_ratio: AspectRatio = Field(default_factory=_usual_frame, description="Absent: the platform's usual")
    brand_colours: list[Colour] = Field(default=[], max_length=10)
    text_overlay: Line | None = None

    @model_validator(mode="after")
    def _has_a_subject(self) -> "ThumbnailRequest":
        if self.title is None and self.script is None:
            raise PydanticCustomError("missing", "title or script is required")
        return self


class MetadataRequest(Input):
    """A topic, a script or both."""

    topic: Text | None = None
    script: Script | None = None
    platform: Platform = "youtube"
    language: Language = "en"
    keywords: Annotated[list[Keyword], AfterValidator(_unique)] = Field(default=[], max_length=30)

    @model_validator(mode="after")
    def _has_a_subject(self) -> "MetadataRequest":
        if self.topic is None and self.script is None:
            raise PydanticCustomError("missing", "topic or script is required")
        return self
