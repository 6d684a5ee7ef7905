"""What can be generated: each kind with its request, its draft, its answer and the words to the model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, cast

from mpc_api import answers, prompts
from mpc_api.drafts import Draft, MetadataDraft, ScriptDraft, ThumbnailDraft, strict_schema
from mpc_api.inputs import Input, MetadataRequest, ScriptRequest, ThumbnailRequest
from mpc_api.wire import Success, Usage

KindName = Literal["script", "thumbnail-prompt", "metadata"]

Wanted = TypeVar("Wanted", bound=Input)
Drafted = TypeVar("Drafted", bound=Draft)
Given = TypeVar("Given", bound=answers.Answer)


def _no_faults(_wanted: Input, _draft: Draft) -> list[str]:
    return []


@dataclass(frozen=True)
class Kind(Generic[Wanted, Drafted, Given]):
    """`finish` makes the answer of a valid draft; `faults` says what such a draft does not honour."""

    name: KindName
    message: str
    request: type[Wanted]
    draft: type[Drafted]
    answer: type[Given]
    finish: Callable[[Wanted, Drafted, Usage], Given]
    faults: Callable[[Wanted, Drafted], list[str]] = _no_faults
    envelope: type[Success[Given]] = field(init=False)
    schema: dict[str, object] = field(init=False)
    system: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "envelope", Success[self.answer])  # type: ignore[name-defined]
        object.__setattr__(self, "schema", strict_schema(self.draft))
        object.__setattr__(self, "system", prompts.system(self.schema_name))

    @property
    def schema_name(self) -> str:
        return self.name.partition("-")[0]


SCRIPT = Kind(
    "script",
    "Script generated",
    ScriptRequest,
    ScriptDraft,
    answers.Script,
    answers.script,
    answers.script_faults,
)
THUMBNAIL = Kind(
    "thumbnail-prompt",
    "Thumbnail prompt generated",
    ThumbnailRequest,
    ThumbnailDraft,
    answers.Thumbnail,
    answers.thumbnail,
)
METADATA = Kind(
    "metadata",
    "Metadata generated",
    MetadataRequest,
    MetadataDraft,
    answers.Metadata,
    answers.metadata,
    answers.metadata_faults,
)

AnyKind = Kind[Any, Any, Any]
KINDS: Mapping[KindName, AnyKind] = {kind.name: cast("AnyKind", kind) for kind in (SCRIPT, THUMBNAIL, METADATA)}
