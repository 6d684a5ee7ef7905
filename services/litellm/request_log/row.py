"""What LiteLLM tells about a request -> the row that is kept of it."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_NAME = 300
_MAX_ERROR = 2_000
_MAX_WORDS = 256 * 1024


@dataclass(frozen=True)
class Row:
    """One request. `alias` is what was asked for, `deployment`, `provider` and `model` what answered or failed last.

    `request_id` is the answer's header `x-litellm-call-id`; `cost` is in US dollars as LiteLLM's price list says;
    `attempts` counts calls of deployments, 0 when none was tried; `error` is the kind of failure. `error_words`,
    `prompt` and `answer` are only kept when asked for.
    """

    id: UUID
    began_at: datetime
    request_id: str | None
    call_type: str | None
    alias: str | None
    deployment: str | None
    provider: str | None
    model: str | None
    streamed: bool
    cached: bool
    prompt_tokens: int
    completion_tokens: int
    cost: float
    duration_ms: int
    outcome: str
    status: int
    attempts: int
    error: str | None = None
    error_words: str | None = None
    prompt: str | None = None
    answer: str | None = None

    @property
    def size(self) -> int:
        """About how many bytes it holds in memory."""
        return 1_000 + sum(len(text or "") for text in (self.error_words, self.prompt, self.answer))

    def values(self) -> tuple[Any, ...]:
        return astuple(self)


COLUMNS = tuple(field.name for field in fields(Row))


@dataclass
class Call:
    """What is known of a request while it runs: when it began, what it asked for, deployments called so far."""

    began: float
    alias: str | None
    call_type: str
    attempts: int = 0


@dataclass(frozen=True)
class Failure:
    """How a request ended that got no answer: an HTTP status, the kind and the words of the exception."""

    status: int
    kind: str
    words: str


def row(payload: Mapping[str, Any], call: Call | None, *, failure: Failure | None = None, prompts: bool) -> Row:
    """The row of a finished request; `payload` is LiteLLM's StandardLoggingPayload or what there is of it."""
    began = call.began if call else _number(payload.get("startTime"))
    ended = _number(payload.get("endTime"))
    return Row(
        id=uuid4(),
        began_at=datetime.fromtimestamp(began, UTC),
        request_id=_name(payload.get("litellm_call_id")),
        call_type=_name(call.call_type if call else payload.get("call_type")),
        alias=_name((call.alias if call else None) or payload.get("model_group") or payload.get("model")),
        deployment=_name(payload.get("model_id")),
        provider=_name(payload.get("custom_llm_provider")),
        model=_name(payload.get("model")),
        streamed=bool(payload.get("stream")),
        cached=bool(payload.get("cache_hit")),
        prompt_tokens=int(_number(payload.get("prompt_tokens"))),
        completion_tokens=int(_number(payload.get("completion_tokens"))),
        cost=_number(payload.get("response_cost")),
        duration_ms=max(0, round((ended - began) * 1000)),
        outcome="failure" if failure else "success",
        status=failure.status if failure else 200,
        attempts=call.attempts if call else 0,
        error=_name(failure.kind) if failure else None,
        error_words=_words(failure.words, _MAX_ERROR) if failure and prompts else None,
        prompt=_words(payload.get("messages"), _MAX_WORDS) if prompts else None,
        answer=_words(payload.get("response"), _MAX_WORDS) if prompts else None,
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _name(value: object) -> str | None:
    return _storable(str(value), _MAX_NAME) if value else None


def _words(value: object, most: int) -> str | None:
    if not value:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _storable(text, most)


def _storable(text: str, most: int) -> str:
    """PostgreSQL takes no NUL and no half of a surrogate pair."""
    return text[:most].encode(errors="replace").decode().replace("\0", "\ufffd")
