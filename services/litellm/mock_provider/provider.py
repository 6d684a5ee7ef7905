"""LiteLLM's side of the mock provider: the only module here that imports LiteLLM."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import litellm
from litellm.types.utils import GenericStreamingChunk, ModelResponse

from mock_provider import tokens
from mock_provider.answers import Answer, Request, answer
from mock_provider.failures import FAILURES, GARBAGE, SLOW, garbled
from mock_provider.schemas import UnsatisfiableSchemaError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_PROVIDER = "mock"
_SOME_WORDS = re.compile(r"\s*\S+\s*")
_DEFAULT_SLOW_SECONDS = 10.0
_SLOW = re.compile(rf"{SLOW}(?:-(\d+))?")


class MockProvider(litellm.CustomLLM):  # type: ignore[misc, unused-ignore]  # Any where LiteLLM is not installed
    """Chat completions, plain and streamed.

    A whole answer of `mock/slow` takes 10 seconds, one of `mock/slow-90` takes 90.
    """

    def completion(self, model: str, messages: list[Any], **call: Any) -> ModelResponse:
        """Answers at once; `mock/slow` after its delay."""
        made = _answer(model, messages, call)
        time.sleep(self._patience(model, call))
        return _response(made, model, call)

    async def acompletion(self, model: str, messages: list[Any], **call: Any) -> ModelResponse:
        """Answers at once; `mock/slow` after its delay."""
        made = _answer(model, messages, call)
        await asyncio.sleep(self._patience(model, call))
        return _response(made, model, call)

    def streaming(self, model: str, messages: list[Any], **call: Any) -> Iterator[GenericStreamingChunk]:
        """The same answer word by word; `mock/slow` spreads it over its delay."""
        chunks = _chunks(_answer(model, messages, call))
        pause = self._delay(model) / len(chunks)
        for chunk in chunks:
            time.sleep(pause)
            yield chunk

    async def astreaming(self, model: str, messages: list[Any], **call: Any) -> AsyncIterator[GenericStreamingChunk]:
        """The same answer word by word; `mock/slow` spreads it over its delay."""
        chunks = _chunks(_answer(model, messages, call))
        pause = self._delay(model) / len(chunks)
        for chunk in chunks:
            await asyncio.sleep(pause)
            yield chunk

    def _delay(self, model: str) -> float:
        slow = _SLOW.fullmatch(model)
        return float(slow[1] or _DEFAULT_SLOW_SECONDS) if slow else 0.0

    def _patience(self, model: str, call: dict[str, Any]) -> float:
        """The delay in seconds; raises litellm.Timeout when the caller would not wait that long."""
        delay, allowed = self._delay(model), call.get("timeout")
        if isinstance(allowed, int | float) and delay > allowed:
            message = f"mock/{model}: an answer takes {delay:g} s, the request allows {allowed:g} s"
            raise litellm.Timeout(message=message, model=model, llm_provider=_PROVIDER)
        return delay


def _answer(model: str, messages: list[Any], call: dict[str, Any]) -> Answer:
    """The answer, or the failure that this model is for, as LiteLLM's exception."""
    failure = FAILURES.get(model)
    if failure:
        raise _exception(model, failure.status, failure.message, dict(failure.headers))
    params = call.get("optional_params") or {}
    request = Request(
        model=model,
        messages=messages,
        response_format=params.get("response_format"),
        tools=params.get("tools") or (),
        tool_choice=params.get("tool_choice"),
        seed=params.get("seed"),
        max_tokens=params.get("max_completion_tokens") or params.get("max_tokens"),
    )
    try:
        made = answer(request)
    except UnsatisfiableSchemaError as error:
        raise _exception(model, 400, f"mock/{model}: {error}", {}) from None
    if model != GARBAGE:
        return made
    text = garbled(made.text)
    return replace(made, text=text, completion_tokens=tokens.count(text))


def _exception(model: str, status: int, message: str, headers: dict[str, str]) -> Exception:
    request = httpx.Request("POST", f"http://{_PROVIDER}.invalid/{model}")
    response = httpx.Response(status, headers=headers, request=request)
    known = {"message": message, "model": model, "llm_provider": _PROVIDER, "response": response}
    failure: Exception
    match status:
        case 400:
            failure = litellm.BadRequestError(**known)
        case 408:
            failure = litellm.Timeout(**known)
        case 429:
            failure = litellm.RateLimitError(**known, headers=headers)
        case _:
            failure = litellm.InternalServerError(**known)
    return failure


def _usage(made: Answer) -> dict[str, int]:
    return {
        "prompt_tokens": made.prompt_tokens,
        "completion_tokens": made.completion_tokens,
        "total_tokens": made.prompt_tokens + made.completion_tokens,
    }


def _tool_call(made: Answer) -> dict[str, Any] | None:
    if made.tool_call is None:
        return None
    function = {"name": made.tool_call.name, "arguments": made.tool_call.arguments}
    return {"id": made.tool_call.id, "type": "function", "function": function, "index": 0}


def _response(made: Answer, model: str, call: dict[str, Any]) -> ModelResponse:
    tool_call = _tool_call(made)
    message = litellm.Message(
        role="assistant",
        content=made.text or None,
        tool_calls=[tool_call] if tool_call else None,
    )
    response: ModelResponse = call["model_response"]
    response.choices = [litellm.Choices(index=0, message=message, finish_reason=made.finish_reason)]
    response.model = model
    response.usage = litellm.Usage(**_usage(made))
    return response


def _chunks(made: Answer) -> list[GenericStreamingChunk]:
    """The answer in pieces of a word each; the last one, empty, says why it ends and what it cost."""
    pieces = _SOME_WORDS.findall(made.text) or ([made.text] if made.text else [])
    chunks = [_chunk(text) for text in pieces]
    if made.tool_call:
        chunks.append(_chunk("", tool_use=_tool_call(made)))
    return [*chunks, _chunk("", is_finished=True, finish_reason=made.finish_reason, usage=_usage(made))]


def _chunk(text: str, **others: Any) -> GenericStreamingChunk:
    empty = {"tool_use": None, "is_finished": False, "finish_reason": "", "usage": None, "index": 0}
    return GenericStreamingChunk(text=text, **{**empty, **others})
