"""What an Anthropic-compatible provider says (https://docs.anthropic.com/en/api/messages), the same every time."""

from __future__ import annotations

import json
from typing import Any

from tests.upstreams.openai_answers import text_for, words

KINDS = {429: "rate_limit_error", 529: "overloaded_error"}
CONTEXT_LENGTH = {
    "type": "error",
    "error": {"type": "invalid_request_error", "message": "prompt is too long: 209000 tokens > 200000 maximum"},
}
CONTENT_POLICY = {
    "type": "error",
    "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"},
}


def failure(status: int) -> dict[str, Any]:
    error = {"type": KINDS.get(status, "api_error"), "message": f"told to fail with {status}"}
    return {"type": "error", "error": error}


def answer(_path: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        **_head(body),
        "content": [_block(body)],
        "stop_reason": _stop(body),
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }


def events(body: dict[str, Any]) -> list[str]:
    """The stream's events, as named by the API's description."""
    head = {**_head(body), "content": [], "stop_reason": None, "stop_sequence": None}
    head["usage"] = {"input_tokens": 11, "output_tokens": 1}
    block = _block(body)
    if block["type"] == "tool_use":
        arguments = json.dumps(block["input"])
        start = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in words(arguments)]
    else:
        start = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in words(block["text"])]
    made: list[dict[str, Any]] = [
        {"type": "message_start", "message": head},
        {"type": "content_block_start", "index": 0, "content_block": start},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": _stop(body), "stop_sequence": None},
            "usage": {"output_tokens": 7},
        },
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in made]


def _block(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("tools"):
        name = body["tools"][0]["name"]
        return {"type": "tool_use", "id": "toolu_0123456789", "name": name, "input": {"city": "Catania", "days": 3}}
    asked = body.get("output_format") or (body.get("output_config") or {}).get("format")
    return {"type": "text", "text": text_for({**body, "response_format": asked})}


def _stop(body: dict[str, Any]) -> str:
    return "tool_use" if body.get("tools") else "end_turn"


def _head(body: dict[str, Any]) -> dict[str, Any]:
    return {"id": "msg_0123456789", "type": "message", "role": "assistant", "model": body["model"]}
