"""The answer to a chat request: the same request always gets the same one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from mock_provider import tokens
from mock_provider.instances import instance_of
from mock_provider.prompt import subject_of
from mock_provider.writing import Pen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mock_provider.prompt import Subject
    from mock_provider.schemas import Schema

_ANY_OBJECT: Schema = {
    "type": "object",
    "properties": {
        "topic": {"type": "string"},
        "title": {"type": "string"},
        "summary": {"type": "string"},
        "keywords": {"type": "array", "items": {"type": "string"}},
    },
}
_PROSE_SENTENCES = (3, 6)


@dataclass(frozen=True)
class Request:
    """What of a chat request decides the answer, in OpenAI's words; `max_tokens` only cuts it."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    response_format: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    seed: int | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class ToolCall:
    """A call of one of the request's functions; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """A text or a tool call, why it ends there ("stop", "length" or "tool_calls"), and what it cost in tokens."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    tool_call: ToolCall | None = None


def answer(request: Request) -> Answer:
    """Answers a request, valid against its JSON schema or its tool's parameters where it has such.

    Raises UnsatisfiableSchemaError, a ValueError, when no valid answer is found.
    """
    seed = _seed(request)
    subject = subject_of(request.messages)
    cost = tokens.count_prompt(request.messages, request.response_format, request.tools)
    tool = _demanded_tool(request)
    if tool is not None:
        arguments = _json(instance_of(tool.get("parameters") or {"type": "object"}, subject, seed))
        call = ToolCall(f"call_{seed[:24]}", str(tool["name"]), arguments)
        return Answer("", "tool_calls", cost, tokens.count(arguments), call)
    text = _text(request.response_format, subject, seed)
    return shortened(Answer(text, "stop", cost, tokens.count(text)), request.max_tokens)


def shortened(full: Answer, max_tokens: int | None) -> Answer:
    """The answer cut after `max_tokens` tokens, if it has more."""
    if max_tokens is None or full.completion_tokens <= max_tokens:
        return full
    text = "".join(tokens.split(full.text)[:max_tokens])
    return replace(full, text=text, finish_reason="length", completion_tokens=max_tokens)


def _seed(request: Request) -> str:
    deciding = [
        request.model,
        list(request.messages),
        request.response_format,
        list(request.tools),
        request.tool_choice,
        request.seed,
    ]
    return hashlib.sha256(json.dumps(deciding, sort_keys=True, default=str).encode()).hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _demanded_tool(request: Request) -> Mapping[str, Any] | None:
    """The function that must be called: the named one, or the first when any is required."""
    functions = [tool["function"] for tool in request.tools if "function" in tool]
    if request.tool_choice == "required":
        return next(iter(functions), None)
    if isinstance(request.tool_choice, str) or request.tool_choice is None:
        return None
    wanted = request.tool_choice.get("function", {}).get("name")
    return next((function for function in functions if function.get("name") == wanted), None)


def _text(response_format: Mapping[str, Any] | None, subject: Subject, seed: str) -> str:
    kind = (response_format or {}).get("type")
    if response_format and kind == "json_schema":
        described = response_format.get("json_schema", {})
        return _json(instance_of(described.get("schema", True), subject, seed))
    if kind == "json_object":
        return _json(instance_of(_ANY_OBJECT, subject, seed))
    rng = Random(seed)  # noqa: S311 (nothing here is a secret)
    return Pen(subject, rng).sentences(rng.randint(*_PROSE_SENTENCES))
