import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from mpc_api.partial import Delta, Partial, Reset
from tests.events import Event, events
from tests.service import API_KEY, Service, running
from tests.upstream import DRAFTS, Reply, Upstream, draft, error


@contextmanager
def streaming(
    service: Service, path: str, body: object, *, query: str = "?stream=true", accept: str = "*/*"
) -> Iterator[httpx2.Response]:
    headers = {"Authorization": f"Bearer {API_KEY}", "Accept": accept}
    url = f"/generate/{path}{query}"
    with service.client.stream("POST", url, json=body, headers=headers) as answer:
        yield answer


def streamed(service: Service, path: str, body: object, **how: str) -> list[Event]:
    with streaming(service, path, body, **how) as answer:
        assert answer.status_code == 200
        return list(events(answer))


def told(found: list[Event]) -> dict[str, str]:
    """What the deltas add up to, by path, as a client would show it."""
    texts: dict[str, str] = {}
    for one in found:
        if one.name == "reset":
            texts = {}
        if one.name == "delta":
            texts[one.data["path"]] = texts.get(one.data["path"], "") + one.data["text"]
    return texts


@pytest.mark.parametrize(
    "how", [{}, {"query": "", "accept": "text/event-stream"}, {"query": "", "accept": "text/event-stream, */*;q=0.1"}]
)
def test_a_stream_tells_readable_parts_and_ends_with_the_plain_answer(service: Service, how: dict[str, str]) -> None:
    wanted = {"topic": "cold brew", "duration": 20}
    found = streamed(service, "script", wanted, **how)
    plain = service.post("/generate/script", wanted).json()
    result = found[-1]
    assert result.name == "result"
    for one in (plain, result.data):
        one.pop("timestamp")
        one["data"]["usage"].pop("milliseconds")
        one["data"]["usage"].pop("cached")
    assert result.data == plain
    written = draft("script", {"duration": 20})
    assert told(found) == {
        "title": written["title"],
        "hook": written["hook"],
        "callToAction": written["callToAction"],
    } | {
        f"sections.{index}.{name}": section[name]
        for index, section in enumerate(written["sections"])
        for name in ("heading", "narration", "visualNotes")
        if section[name]
    }
    assert sum(one.name == "delta" for one in found) > 10


@pytest.mark.parametrize("path", ["thumbnail-prompt", "metadata"])
def test_every_kind_streams(service: Service, path: str) -> None:
    found = streamed(service, path, {"script": "Use cold water."})
    assert found[-1].name == "result"
    assert told(found)


def test_the_first_part_comes_before_the_model_is_done(service: Service, upstream: Upstream) -> None:
    upstream.replies.append(Reply(pause=0.05))
    with streaming(service, "script", {"topic": "x", "duration": 30}) as answer:
        first = next(events(answer))
        assert first.name == "delta"
    assert len(upstream.seen) == 1


def test_a_second_draft_begins_with_a_reset(service: Service, upstream: Upstream) -> None:
    upstream.replies.append(Reply(text='{"title": "A first title that does not fit"}'))
    found = streamed(service, "script", {"topic": "x"})
    names = [one.name for one in found]
    assert names.count("reset") == 1
    assert names.index("delta") < names.index("reset")
    assert told(found)["title"] == DRAFTS["script"]["title"]
    assert found[-1].data["data"]["usage"]["promptTokens"] == 200


@pytest.mark.parametrize(
    ("replies", "status", "code"),
    [
        ([error(500, "litellm.InternalServerError: sk-secret")], 502, "LLM_ERROR"),
        ([Reply(text="nonsense")] * 2, 500, "GENERATION_FAILED"),
        ([Reply(text="", refusal="No.")], 500, "GENERATION_FAILED"),
        ([Reply(cut=3)], 502, "LLM_ERROR"),
        ([Reply(body=b"data: {broken\n\n", headers={"content-type": "text/event-stream"})], 502, "LLM_ERROR"),
        ([Reply(body=b'data: {"choices": 7}\n\n', headers={"content-type": "text/event-stream"})], 502, "LLM_ERROR"),
        (
            [
                Reply(
                    body=b'data: {"error": {"message": "litellm.RateLimitError: sk-secret", "code": "429"}}\n\n',
                    headers={"content-type": "text/event-stream"},
                )
            ],
            429,
            "RATE_LIMIT_EXCEEDED",
        ),
    ],
)
def test_a_failure_is_the_last_event(
    service: Service, upstream: Upstream, replies: list[Reply], status: int, code: str
) -> None:
    upstream.replies.extend(replies)
    found = streamed(service, "script", {"topic": "x"})
    assert [one.name for one in found if one.name in {"error", "result"}] == ["error"]
    problem: dict[str, Any] = found[-1].data["error"]
    assert (problem["code"], problem["statusCode"]) == (code, status)
    assert "sk-secret" not in str(problem)
    assert len(upstream.seen) == len(replies)


def test_what_is_wrong_with_the_request_is_an_ordinary_answer(service: Service) -> None:
    answer = service.post("/generate/script?stream=true", {"topic": ""})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/json")
    refused = service.client.post("/generate/script?stream=true", json={"topic": "x"})
    assert refused.status_code == 401
    odd = service.post("/generate/script?stream=perhaps", {"topic": "x"})
    assert odd.json()["error"]["details"]["fields"][0]["path"] == "query.stream"


def test_the_deadline_is_an_event_too(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url, MPC_REQUEST_TIMEOUT="0.5") as service:
        upstream.replies.append(Reply(pause=0.2))
        found = streamed(service, "script", {"topic": "x"})
    assert found[-1].data["error"]["code"] == "GATEWAY_TIMEOUT"


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_client_that_leaves_ends_the_call_to_the_gateway(service: Service, upstream: Upstream) -> None:
    upstream.replies.append(Reply(pause=0.05))
    with streaming(service, "script", {"topic": "x", "duration": 3600}) as answer:
        next(events(answer))
    # the whole answer would take the upstream far longer than this waits
    until(lambda: upstream.abandoned == 1)


def parts(*pieces: str) -> list[Delta | Reset]:
    found: list[Delta | Reset] = []
    partial = Partial(found.append)
    for piece in pieces:
        partial.piece(piece)
    partial.look()
    return found


def test_partial_text_is_told_once_and_in_order() -> None:
    text = '{"title": "A \\u00e9\\ud83d\\ude00 \\"quoted\\" title", "n": 1.5, "list": [{"a": "b"}, {"a": "c"}]}'
    for size in (1, 3, 1000):
        pieces = [text[index : index + size] for index in range(0, len(text), size)]
        told = parts(*pieces)
        joined: dict[str, str] = {}
        for one in told:
            assert isinstance(one, Delta)
            joined[one.path] = joined.get(one.path, "") + one.text
        assert joined == {"title": 'A é😀 "quoted" title', "list.0.a": "b", "list.1.a": "c"}


@pytest.mark.parametrize("noise", ["", "no json at all", "```json\n", "[1, 2"])
def test_what_is_not_an_object_yet_tells_nothing(noise: str) -> None:
    assert parts(noise) == []


def test_words_around_the_object_are_passed_over() -> None:
    assert parts('Here you are:\n```json\n{"a": "b"}\n```\nEnjoy!') == [Delta("a", "b")]
