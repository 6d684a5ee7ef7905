"""The bundled config `multi-provider`: load shared by three providers, and what passes through unchanged."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.gateway.bundled import AZURE, MODELS, bundled
from tests.gateway.stage import Gateway, Stage, Upstream, eventually

MODEL = MODELS.openai.small
CLAUDE = MODELS.anthropic.small
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
ASKED_OF_CLAUDE: Mapping[str, dict[str, Any]] = {
    "plain": {},
    "tools": {"tools": [TOOL], "tool_choice": "auto"},
    "structured": {"response_format": SCHEMA},
}


@pytest.fixture(scope="module")
def gateway(stage: Stage, upstreams: Upstream) -> Gateway:
    assert upstreams
    return bundled(stage, "multi-provider", AZURE)


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
    assert {(one["id"], one["model"], one["object"]) for one in own} == {
        (one["id"], one["model"], one["object"]) for one in passed
    }


def joined(stream: list[dict[str, Any]]) -> dict[str, Any]:
    """What a client makes of a stream: the texts put together, the reason to end, the usage."""
    made: dict[str, Any] = {"text": "", "calls": {}, "finish": None, "usage": None}
    for chunk in stream:
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
    own_events = events(upstream.client.post("/anthropic/v1/messages", json={**asked, "stream": True}).text)
    passed_events = events(gateway.client.post("/v1/messages", json={**asked, "stream": True}).text)
    assert lacking(own_events, passed_events) == []


def events(text: str) -> list[dict[str, Any]]:
    lines = [line for line in text.splitlines() if line.startswith(("event:", "data:"))]
    named = [{"event": line.removeprefix("event: ")} for line in lines if line.startswith("event:")]
    data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data:")]
    return [name | one for name, one in zip(named, data, strict=True)]


@pytest.mark.parametrize("asked", ASKED_OF_CLAUDE.values(), ids=ASKED_OF_CLAUDE)
def test_claude_asked_in_openais_words_says_what_it_says_itself(
    gateway: Gateway, upstream: Upstream, asked: dict[str, Any]
) -> None:
    passed = gateway.client.post("/v1/chat/completions", json=body(model=CLAUDE, **asked)).json()
    [request] = upstream.received("anthropic")
    own = upstream.client.post("/anthropic/v1/messages", json=request["body"]).json()
    assert lacking(in_openais_words(own), passed) == []
    more = {"stream": True, "stream_options": {"include_usage": True}}
    stream = chunks(gateway.client.post("/v1/chat/completions", json=body(model=CLAUDE, **asked, **more)).text)
    assert lacking(joined([as_chunk(in_openais_words(own))]), joined(stream)) == []


@pytest.mark.parametrize("asked", ASKED_OF_CLAUDE.values(), ids=ASKED_OF_CLAUDE)
def test_claude_is_asked_for_the_same_tools_and_the_same_shape(
    gateway: Gateway, upstream: Upstream, asked: dict[str, Any]
) -> None:
    assert gateway.client.post("/v1/chat/completions", json=body(model=CLAUDE, **asked)).status_code == 200
    [request] = upstream.received("anthropic")
    tools = [(one["name"], one["input_schema"]) for one in request["body"].get("tools", ())]
    assert tools == [(one["function"]["name"], one["function"]["parameters"]) for one in asked.get("tools", ())]
    if wanted := asked.get("response_format"):
        shape = request["body"].get("output_format") or request["body"]["output_config"]["format"]
        assert lacking(wanted["json_schema"]["schema"], shape["schema"]) == []


def in_openais_words(own: dict[str, Any]) -> dict[str, Any]:
    """What OpenAI would have answered, where Anthropic answered this."""
    [block] = own["content"]
    message: dict[str, Any] = {"role": "assistant", "content": block.get("text")}
    if block["type"] == "tool_use":
        function = {"name": block["name"], "arguments": json.dumps(block["input"])}
        message["tool_calls"] = [{"id": block["id"], "type": "function", "function": function}]
    finish = {"end_turn": "stop", "tool_use": "tool_calls"}[own["stop_reason"]]
    counted = own["usage"]
    return {
        "object": "chat.completion",
        "model": own["model"],
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": {
            "prompt_tokens": counted["input_tokens"],
            "completion_tokens": counted["output_tokens"],
            "total_tokens": counted["input_tokens"] + counted["output_tokens"],
        },
    }


def as_chunk(answer: dict[str, Any]) -> dict[str, Any]:
    """The whole of an answer as one piece of a stream."""
    [choice] = answer["choices"]
    calls = [{"index": index, **one} for index, one in enumerate(choice["message"].get("tool_calls", ()))]
    return {**answer, "id": "", "choices": [{**choice, "delta": {**choice["message"], "tool_calls": calls}}]}


def test_an_alias_is_shared_by_all_providers(gateway: Gateway, upstream: Upstream) -> None:
    def asked_all() -> bool:
        assert gateway.chat("default").status_code == 200
        return all(upstream.received(name) for name in ("openai", "anthropic", "azure"))

    eventually(asked_all)
    azure = upstream.received("azure")[0]
    assert azure["path"] == f"openai/deployments/{MODELS.azure.small}/chat/completions"
    assert azure["query"] == {"api-version": AZURE["AZURE_API_VERSION"]}
    assert azure["headers"]["api-key"] == AZURE["AZURE_API_KEY"]


@pytest.mark.parametrize("down", ["openai", "anthropic", "azure"])
def test_with_one_provider_down_every_request_is_answered_by_the_others(
    gateway: Gateway, upstream: Upstream, down: str
) -> None:
    upstream.script(down, "500")
    alias = {"openai": "mpc-script", "anthropic": "mpc-metadata", "azure": "mpc-thumbnail"}[down]
    for number in range(10):
        assert gateway.chat(alias, f"{number}").status_code == 200
