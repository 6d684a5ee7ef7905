"""Answers kept for identical requests, and one generation for those who ask at the same time."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpc_api import answers, records
from mpc_api.caching import wishes
from mpc_api.inputs import ScriptRequest
from mpc_api.kinds import KINDS
from mpc_api.wire import Usage
from tests.redis_server import RedisServer
from tests.service import API_KEY, Service, running
from tests.upstream import Reply, Upstream, error

SCRIPT = "/generate/script"


@pytest.fixture(scope="module")
def replicas(shared_upstream: Upstream, redis: RedisServer) -> Iterator[list[Service]]:
    """Two processes with one Redis."""
    variables = {**redis.variables, "LITELLM_URL": shared_upstream.url}
    with running(**variables) as one, running(**variables) as other:
        yield [one, other]


@pytest.fixture
def cached(replicas: list[Service], redis: RedisServer, upstream: Upstream) -> Service:
    """A service with an empty cache."""
    assert upstream.seen == []
    until(lambda: not claims(redis))
    redis.wipe()
    return replicas[0]


def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def claims(redis: RedisServer) -> list[str]:
    return [name for name in redis.names() if name.endswith(":claim")]


def kept(redis: RedisServer, number: int = 1) -> None:
    """Wait until so many answers are kept, and no claim is left: both happen after the answer."""
    until(lambda: len(redis.names()) == number and not claims(redis))


def essence(answer: httpx2.Response) -> dict[str, Any]:
    """An answer without what differs from one time to the next."""
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert isinstance(body["data"]["usage"].pop("milliseconds"), int)
    body["data"]["usage"].pop("cached")
    assert body.pop("timestamp").endswith("Z")
    return body


def test_an_identical_request_gets_the_same_answer_without_a_model(
    cached: Service, redis: RedisServer, upstream: Upstream, replicas: list[Service]
) -> None:
    first = cached.post(SCRIPT, {"topic": "x"})
    kept(redis)
    second = cached.post(SCRIPT, {"topic": "x"})
    elsewhere = replicas[1].post(SCRIPT, {"topic": "x"})
    assert essence(first) == essence(second) == essence(elsewhere)
    assert [one.json()["data"]["usage"]["cached"] for one in (first, second, elsewhere)] == [False, True, True]
    assert len(upstream.seen) == 1
    assert cached.logged(second.headers["x-request-id"])["cached"] is True
    assert second.headers["x-content-type-options"] == "nosniff"


def test_requests_that_mean_the_same_are_identical(cached: Service, redis: RedisServer, upstream: Upstream) -> None:
    cached.post(SCRIPT, {"topic": "Cold brew", "keyPoints": ["a"], "format": "short"})
    kept(redis)
    for same in (
        {"keyPoints": ["a"], "topic": "  Cold brew "},
        {"topic": "Cold brew", "key_points": ["a"], "language": "EN", "format": "Short", "duration": 60},
    ):
        assert cached.post(SCRIPT, same).json()["data"]["usage"]["cached"] is True
    other = cached.post(SCRIPT, {"topic": "Cold brew", "keyPoints": ["a"], "duration": 61})
    assert other.json()["data"]["usage"]["cached"] is False
    assert len(upstream.seen) == 2


def test_an_answer_is_kept_for_as_long_as_the_setting_says(cached: Service, redis: RedisServer) -> None:
    cached.post(SCRIPT, {"topic": "x"})
    kept(redis)
    assert 3000 < int(redis.ask("TTL", redis.names()[0]).lstrip(":")) <= 3600


def test_another_model_or_kind_has_answers_of_its_own(
    cached: Service, redis: RedisServer, shared_upstream: Upstream
) -> None:
    cached.post(SCRIPT, {"topic": "x"})
    kept(redis)
    cached.post("/generate/metadata", {"topic": "x"})
    kept(redis, 2)
    variables = {**redis.variables, "LITELLM_URL": shared_upstream.url, "MPC_MODEL_SCRIPT": "another"}
    with running(**variables) as other:
        assert other.post(SCRIPT, {"topic": "x"}).json()["data"]["usage"]["cached"] is False


def test_no_cache_passes_it_by_and_keeps_the_new_answer(
    cached: Service, redis: RedisServer, upstream: Upstream
) -> None:
    cached.post(SCRIPT, {"topic": "x"})
    kept(redis)
    renewed = cached.post(SCRIPT, {"topic": "x"}, headers={"Cache-Control": "no-cache"})
    assert renewed.json()["data"]["usage"]["cached"] is False
    assert cached.post(SCRIPT, {"topic": "x"}).json()["data"]["usage"]["cached"] is True
    assert len(upstream.seen) == 2


def test_no_store_leaves_no_trace(cached: Service, redis: RedisServer, upstream: Upstream) -> None:
    for _ in range(2):
        answer = cached.post(SCRIPT, {"topic": "x"}, headers={"Cache-Control": "no-store"})
        assert answer.json()["data"]["usage"]["cached"] is False
    assert redis.names() == []
    assert len(upstream.seen) == 2


def test_a_failure_is_not_kept(cached: Service, redis: RedisServer, upstream: Upstream) -> None:
    upstream.replies.append(error(400, "litellm.BadRequestError: x"))
    assert cached.post(SCRIPT, {"topic": "x"}).status_code == 502
    until(lambda: redis.names() == [])
    assert cached.post(SCRIPT, {"topic": "x"}).status_code == 200


def test_streams_and_batches_use_the_same_answers(cached: Service, redis: RedisServer, upstream: Upstream) -> None:
    cached.post(SCRIPT, {"topic": "x"})
    kept(redis)
    streamed = cached.post(f"{SCRIPT}?stream=true", {"topic": "x"})
    assert '"cached":true' in streamed.text
    batch = cached.post("/generate/batch", {"requests": [{"kind": "script", "request": {"topic": "x"}}]})
    assert batch.json()["data"]["usage"]["cached"] == 1
    assert len(upstream.seen) == 1


def test_a_streamed_answer_is_kept_too(cached: Service, redis: RedisServer) -> None:
    assert "event: result" in cached.post(f"{SCRIPT}?stream=true", {"topic": "x"}).text
    kept(redis)
    assert cached.post(SCRIPT, {"topic": "x"}).json()["data"]["usage"]["cached"] is True


def test_concurrent_identical_requests_make_one_call_in_all_processes(
    cached: Service, upstream: Upstream, replicas: list[Service]
) -> None:
    upstream.replies.extend([Reply(delay=1)])
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda number: replicas[number % 2].post(SCRIPT, {"topic": "x"}), range(10)))
    assert len({str(essence(one)) for one in found}) == 1
    assert len(upstream.seen) == 1
    assert cached.process.poll() is None


def test_a_failure_is_told_to_all_who_waited(cached: Service, upstream: Upstream) -> None:
    upstream.replies.append(Reply(400, body=b"{}", delay=1))
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: cached.post(SCRIPT, {"topic": "x"}).status_code, range(4)))
    assert statuses == [502] * 4
    assert len(upstream.seen) == 1


def hang_up_later(service: Service, leave: threading.Event, request_id: str) -> None:
    """Ask, and close the connection when told to."""
    body = b'{"topic": "x"}'
    head = (
        f"POST {SCRIPT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\nX-Request-ID: {request_id}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2]))) as connection:
        connection.sendall(head.encode() + body)
        assert leave.wait(60)


def test_the_first_caller_leaves_and_the_others_get_their_answer(cached: Service, upstream: Upstream) -> None:
    upstream.replies.append(Reply(delay=3))
    leave = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hang_up_later, cached, leave, "impatient-1")
        until(lambda: upstream.seen)
        second = pool.submit(cached.post, SCRIPT, {"topic": "x"})
        time.sleep(0.3)  # it may come late, and would then begin anew: the assertions below hold all the same
        leave.set()
        first.result()
        assert second.result().status_code == 200
    assert cached.logged("impatient-1")["status"] == 499
    assert len(upstream.seen) == 1


def test_when_all_have_left_the_work_ends(cached: Service, upstream: Upstream) -> None:
    upstream.replies.append(Reply(delay=30))
    leave = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(hang_up_later, cached, leave, "impatient-2")
        until(lambda: upstream.seen)
        leave.set()
    assert cached.logged("impatient-2")["status"] == 499
    assert cached.post(SCRIPT, {"topic": "x"}).status_code == 200
    assert len(upstream.seen) == 2


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(TEXT, TEXT, st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_is_kept_comes_back_as_it_was(title: str, model: str, tokens: int, milliseconds: int) -> None:
    usage = Usage(model=model, prompt_tokens=tokens, completion_tokens=1, milliseconds=7)
    answer = answers.Thumbnail.model_construct(
        prompt=title,
        negative_prompt="",
        text_overlay=title,
        composition=title,
        colours=[title],
        aspect_ratio="1:1",
        usage=usage,
    )
    kind = KINDS["thumbnail-prompt"]
    record = records.pack(kind, answer)
    again = records.unpack(kind, record, milliseconds)
    shown = answers.Thumbnail.model_validate(answer.model_dump())
    expected = usage.model_copy(update={"cached": True, "milliseconds": milliseconds})
    assert again == shown.model_copy(update={"usage": expected})
    body = httpx2.Response(200, content=records.body(record, milliseconds)).json()
    assert body["data"] == again.model_dump(mode="json", by_alias=True)
    assert (body["success"], set(body)) == (True, {"success", "message", "data", "timestamp"})


WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40)


@given(WORDS, st.text(" \t", max_size=3))
def test_blanks_around_a_field_make_no_difference_and_other_words_do(topic: str, blanks: str) -> None:
    kind = KINDS["script"]

    def name(text: str) -> str:
        return records.name_of(kind, "m", ScriptRequest(topic=text))

    assert name(topic) == name(blanks + topic + blanks)
    assert name(topic) != name(topic + "!")
    assert name(topic) != records.name_of(kind, "n", ScriptRequest(topic=topic))


@pytest.mark.parametrize(
    ("value", "wish"),
    [
        (b"", (True, True)),
        (b",max-age=60", (True, True)),
        (b",No-Cache", (False, True)),
        (b",max-age=0, x", (False, True)),
        (b",no-cache, no-store", (False, False)),
        (b",private,no-store", (False, False)),
    ],
)
def test_what_a_request_wishes(value: bytes, wish: tuple[bool, bool]) -> None:
    assert wishes(value) == wish
