"""What an OpenAI-compatible provider says (https://platform.openai.com/docs/api-reference), the same every time."""

from __future__ import annotations

import json
from typing import Any

CREATED = 1_760_000_000
CONTEXT_LENGTH = {
    "error": {
        "message": "This model's maximum context length is 8192 tokens. Your messages resulted in 9000 tokens.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
}
CONTENT_POLICY = {
    "error": {
        "message": "Your request was rejected as a result of our safety system.",
        "type": "invalid_request_error",
        "param": None,
        "code": "content_policy_violation",
    }
}


def failure(status: int) -> dict[str, Any]:
    kind = "rate_limit_error" if status == 429 else "server_error"
    return {"error": {"message": f"told to fail with {status}", "type": kind, "param": None, "code": None}}


def answer(path: str, body: dict[str, Any]) -> dict[str, Any]:
    return _embeddings(body) if path.endswith("embeddings") else _completion(body)


def _completion(body: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text_for(body), "refusal": None, "annotations": []}
    if body.get("tools"):
        message |= {"content": None, "tool_calls": [_tool_call(tool, n) for n, tool in enumerate(body["tools"])]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(body)}
    return {**_head(body, "chat.completion"), "choices": [choice], "usage": _usage()}


def _embeddings(body: dict[str, Any]) -> dict[str, Any]:
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [
        {"object": "embedding", "index": index, "embedding": [0.5, -0.25, len(str(value)) / 128]}
        for index, value in enumerate(inputs)
    ]
    return {
        "object": "list",
        "data": data,
        "model": body["model"],
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }


def events(body: dict[str, Any]) -> list[str]:
    """The stream's events: one per word or per piece of a tool call's arguments, and the end."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    if body.get("tools"):
        for number, tool in enumerate(body["tools"]):
            call = _tool_call(tool, number)
            arguments = call["function"].pop("arguments")
            deltas.append(
                {"tool_calls": [{"index": number, **call, "function": {**call["function"], "arguments": ""}}]}
            )
            deltas += [{"tool_calls": [{"index": number, "function": {"arguments": c}}]} for c in _halves(arguments)]
    else:
        deltas += [{"content": word} for word in words(text_for(body))]
    chunks = [_chunk(body, delta, None) for delta in deltas]
    chunks.append(_chunk(body, {}, _finish(body)))
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**_head(body, "chat.completion.chunk"), "choices": [], "usage": _usage()})
    return [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"]


def _chunk(body: dict[str, Any], delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {**_head(body, "chat.completion.chunk"), "choices": [choice]}


def text_for(body: dict[str, Any]) -> str:
    """An answer that tells which model was asked for what; a JSON object where one is asked for."""
    asked = body["messages"][-1]["content"]
    words = asked if isinstance(asked, str) else asked[-1]["text"]
    if (body.get("response_format") or {}).get("type") in {"json_object", "json_schema"}:
        return json.dumps({"title": words, "seconds": 30})
    return f"{body['model']} has read: {words}, naïve ☂"


def words(text: str) -> list[str]:
    first, *others = text.split(" ")
    return [first, *(f" {word}" for word in others)]


def _halves(text: str) -> list[str]:
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def _tool_call(tool: dict[str, Any], number: int) -> dict[str, Any]:
    function = {"name": tool["function"]["name"], "arguments": '{"city": "Catania", "days": 3}'}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _finish(body: dict[str, Any]) -> str:
    return "tool_calls" if body.get("tools") else "stop"


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-0123456789",
        "object": kind,
        "created": CREATED,
        "model": body["model"],
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }


def _usage() -> dict[str, Any]:
    return {
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "total_tokens": 18,
        "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 2,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
