"""The bundled config `multi-provider`: load shared by two providers, and what passes through unchanged."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.gateway.bundled import MODELS, bundled
from tests.gateway.stage import Gateway, Stage, Upstream, eventually

MODEL = MODELS.openai.small
TOOL = {
    "type": "function",
    "function": {
        "name": "forecast",
        "description": "The weather of the next days",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "clip",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"title": {"type": "string"}, "seconds": {"type": "integer"}},
            "required": ["title", "seconds"],
            "additionalProperties": False,
        },
    },
}
ASKED: Mapping[str, dict[str, Any]] = {
    "plain": {},
    "tools": {"tools": [TOOL], "tool_choice": "required"},
    "two tools": {"tools": [TOOL, TOOL], "parallel_tool_calls": True},
    "structured": {"response_format": SCHEMA},
    "parameters": {"max_completion_tokens": 5, "seed": 7, "user": "u", "service_tier": "default"},
}


@pytest.fixture(scope="module")
def gateway(stage: Stage, upstreams: Upstream) -> Gateway:
    assert upstreams
    return bundled(stage, "multi-provider")


def body(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"model": MODEL, "messages": [{"role": "user", "content": "a naïve ☂ “question”"}], **more}


def lacking(own: object, passed: object, path: str = "") -> list[str]:
    """Every field of the provider's own answer that is absent or different in what the gateway passed on."""
    if isinstance(own, dict):
        found = passed if isinstance(passed, dict) else {}
        return [line for key in own for line in lacking(own[key], found.get(key), f"{path}.{key}")]
    if isinstance(own, list) and isinstance(passed, list) and len(own) == len(passed):
        return [line for index, one in enumerate(own) for line in lacking(one, passed[index], f"{path}[{index}]")]
    return [] if own == passed else [f"{path}: {own!r} became {passed!r}"]


def chunks(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_request_and_answer_pass_through_unchanged(gateway: Gateway, upstream: Upstream, asked: dict[str, Any]) -> None:
    own = upstream.client.post("/openai/v1/chat/completions", json=body(**asked)).json()
    passed = gateway.client.post("/v1/chat/completions", json=body(**asked)).json()
    assert lacking(own, passed) == []
    sent, arrived = (request["body"] for request in upstream.received("openai"))
    assert lacking(sent, arrived) == []
    assert set(arrived) - set(sent) == set()


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_stream_passes_through_unchanged(gateway: Gateway, upstream: Upstream, asked: dict[str, Any]) -> None:
    asked = body(**asked, stream=True, stream_options={"include_usage": True})
    own = chunks(upstream.client.post("/openai/v1/chat/completions", json=asked).text)
    passed = chunks(gateway.client.post("/v1/chat/completions", json=asked).text)
    assert lacking(joined(own), joined(passed)) == []


def joined(stream: list[dict[str, Any]]) -> dict[str, Any]:
    """What a client makes of a stream: the texts put together, the reason to end, the usage, the ids."""
    made: dict[str, Any] = {"text": "", "calls": {}, "finish": None, "usage": None, "ids": set()}
    for chunk in stream:
        made["ids"].add((chunk["id"], chunk["model"], chunk["object"]))
        made["usage"] = chunk.get("usage") or made["usage"]
        for choice in chunk["choices"]:
            made["text"] += choice["delta"].get("content") or ""
            made["finish"] = choice.get("finish_reason") or made["finish"]
            for call in choice["delta"].get("tool_calls") or ():
                known = made["calls"].setdefault(call["index"], {"id": None, "name": None, "arguments": ""})
                known["id"] = call.get("id") or known["id"]
                known["name"] = call["function"].get("name") or known["name"]
                known["arguments"] += call["function"].get("arguments") or ""
    return made


@pytest.mark.parametrize("given", ["one text", ["two", "texts"]])
def test_embeddings_pass_through_unchanged(gateway: Gateway, upstream: Upstream, given: object) -> None:
    asked = {"model": MODELS.openai.embedding, "input": given}
    own = upstream.client.post("/openai/v1/embeddings", json=asked).json()
    passed = gateway.client.post("/v1/embeddings", json=asked).json()
    assert lacking(own, passed) == []


@pytest.mark.parametrize("more", [{}, {"tools": [{"name": "forecast", "input_schema": {"type": "object"}}]}])
def test_anthropics_own_format_passes_through_unchanged(
    gateway: Gateway, upstream: Upstream, more: dict[str, Any]
) -> None:
    asked = body(model=MODELS.anthropic.small, max_tokens=9, **more)
    own = upstream.client.post("/anthropic/v1/messages", json=asked).json()
    passed = gateway.client.post("/v1/messages", json=asked).json()
    assert lacking(own, passed) == []
    streamed = [
        client.post(path, json={**asked, "stream": True}).text
        for client, path in ((upstream.client, "/anthropic/v1/messages"), (gateway.client, "/v1/messages"))
    ]
    own_events, passed_events = ([line for line in text.splitlines() if line] for text in streamed)
    assert [line for line in own_events if line.startswith("event:")] == [
        line for line in passed_events if line.startswith("event:")
    ]


def test_an_alias_is_shared_by_both_providers(gateway: Gateway, upstream: Upstream) -> None:
    def asked_both() -> bool:
        assert gateway.chat("default").status_code == 200
        return bool(upstream.received("openai") and upstream.received("anthropic"))

    eventually(asked_both)


@pytest.mark.parametrize("down", ["openai", "anthropic"])
def test_with_one_provider_down_every_request_is_answered_by_the_other(
    gateway: Gateway, upstream: Upstream, down: str
) -> None:
    upstream.script(down, "500")
    alias = {"openai": "mpc-script", "anthropic": "mpc-metadata"}[down]
    for number in range(10):
        assert gateway.chat(alias, f"{number}").status_code == 200
