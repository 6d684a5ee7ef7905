"""Requests and tokens per minute and key."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpc_api.quotas import Standing, counted
from tests.redis_server import RedisServer
from tests.service import Service, running
from tests.test_caching import until
from tests.test_errors import problem
from tests.upstream import Upstream

T = TypeVar("T")

CALLERS = [
    {"name": "few", "variable": "FEW_KEY", "requests_per_minute": 5},
    {"name": "many", "variable": "MANY_KEY", "requests_per_minute": 40},
    {"name": "short", "variable": "SHORT_KEY", "tokens_per_minute": 150},
    {"name": "pair", "variable": "PAIR_KEY", "requests_per_minute": 2, "scopes": ["script"]},
    {"name": "lonely", "variable": "LONELY_KEY", "requests_per_minute": 3},
]
SECRETS = {str(caller["variable"]): f"sk-{caller['name']}" for caller in CALLERS}


@pytest.fixture(scope="module")
def replicas(shared_upstream: Upstream, redis: RedisServer) -> Iterator[list[Service]]:
    """Two processes with one Redis."""
    variables = {**SECRETS, **redis.variables, "MPC_KEYS": json.dumps(CALLERS), "LITELLM_URL": shared_upstream.url}
    with running(**variables) as one, running(**variables) as other:
        yield [one, other]


def in_one_minute(scenario: Callable[[], T]) -> T:
    """What `scenario` gives when all of it happens in one window; on a slow machine that takes a second try."""
    for _ in range(6):
        left = 60 - time.time() % 60
        if left < 10:
            time.sleep(left + 0.1)
        window = time.time() // 60
        found = scenario()
        if time.time() // 60 == window:
            return found
        time.sleep(60 - time.time() % 60 + 0.1)  # what ran over has used up some of this one
    raise AssertionError("this machine is too slow for a window of a minute")


def send(service: Service, caller: str) -> int:
    return service.post(
        "/generate/script", {"topic": "x"}, headers={"Authorization": f"Bearer sk-{caller}"}
    ).status_code


def test_the_limit_of_a_key_holds_across_processes_and_concurrent_requests(replicas: list[Service]) -> None:
    def scenario() -> list[int]:
        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(lambda number: send(replicas[number % 2], "many"), range(80)))

    assert sorted(in_one_minute(scenario)) == [200] * 40 + [429] * 40


def test_every_answer_says_how_the_limit_stands_and_a_refusal_when_to_come_back(replicas: list[Service]) -> None:
    headers = {"Authorization": "Bearer sk-few"}

    def scenario() -> list[httpx2.Response]:
        return [replicas[0].post("/generate/script", {"topic": "x"}, headers=headers) for _ in range(6)]

    answers = in_one_minute(scenario)
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=5;w=60'
    assert answers[0].headers["ratelimit"].startswith('"requests";r=4;t=')
    found = problem(answers[5], 429, "RATE_LIMIT_EXCEEDED")
    assert 1 <= int(answers[5].headers["retry-after"]) <= 60
    assert found["details"]["retryAfterSeconds"] == int(answers[5].headers["retry-after"])
    assert (found["details"]["quota"], found["details"]["limit"]) == ("requests", 5)
    assert replicas[0].logged(answers[5].headers["x-request-id"])["quota"] == "requests"


def test_tokens_are_counted_for_all_processes_and_the_cache_takes_none(
    replicas: list[Service], redis: RedisServer
) -> None:
    """Each answer of the test's gateway takes 120 tokens; the limit is 150."""
    headers = {"Authorization": "Bearer sk-short"}

    def scenario() -> tuple[list[httpx2.Response], httpx2.Response]:
        redis.wipe()
        bodies = [{"topic": f"tokens {number}"} for number in range(3)]
        answers = [replicas[n % 2].post("/generate/script", body, headers=headers) for n, body in enumerate(bodies)]
        until(lambda: len([name for name in redis.names() if name.startswith("mpc:answer:")]) >= 2)
        return answers, replicas[0].post("/generate/script", bodies[0], headers=headers)

    answers, again = in_one_minute(scenario)
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    found = problem(answers[2], 429, "RATE_LIMIT_EXCEEDED")
    assert (found["details"]["quota"], found["details"]["limit"]) == ("tokens", 150)
    assert (again.status_code, again.json()["data"]["usage"]["cached"]) == (200, True)


def test_each_item_of_a_batch_counts_like_a_request(replicas: list[Service]) -> None:
    wanted = [{"kind": "script", "request": {"topic": f"t {number}"}} for number in range(3)]
    wanted.append({"kind": "metadata", "request": {"topic": "x"}})
    headers = {"Authorization": "Bearer sk-pair"}

    def scenario() -> httpx2.Response:
        return replicas[0].post("/generate/batch", {"requests": wanted}, headers=headers)

    results = in_one_minute(scenario).json()["data"]["results"]
    assert sorted(one["error"]["code"] for one in results if one["error"]) == ["FORBIDDEN", "RATE_LIMIT_EXCEEDED"]
    assert results[3]["error"]["code"] == "FORBIDDEN"


def test_a_key_without_a_limit_has_no_such_headers(replicas: list[Service]) -> None:
    answer = replicas[0].post("/generate/script", {"topic": "x"})
    assert [name for name in answer.headers if name.startswith("ratelimit")] == []


def test_without_redis_each_process_counts_for_itself(shared_upstream: Upstream) -> None:
    variables = {**SECRETS, "MPC_KEYS": json.dumps(CALLERS), "LITELLM_URL": shared_upstream.url}
    with running(**variables) as service:
        statuses = in_one_minute(lambda: [send(service, "lonely") for _ in range(5)])
    assert statuses == [200, 200, 200, 429, 429]


@given(st.lists(st.sampled_from("abc"), max_size=40), st.dictionaries(st.sampled_from("abc"), st.integers(0, 1000)))
def test_counting_together_gives_what_counting_one_by_one_gives(names: list[str], before: dict[str, int]) -> None:
    totals = {name: before.get(name, 0) + names.count(name) for name in names}
    one_by_one, counters = [], dict(before)
    for name in names:
        counters[name] = counters.get(name, 0) + 1
        one_by_one.append(counters[name])
    assert counted(names, totals) == one_by_one


@given(st.integers(1, 10**9), st.integers(0, 2 * 10**9), st.integers(1, 60))
def test_what_remains_is_never_negative_and_never_more_than_the_limit(limit: int, used: int, left: int) -> None:
    standing = Standing("requests", limit, used, left)
    assert 0 <= standing.remaining <= limit
    assert standing.headers()["RateLimit"] == f'"requests";r={standing.remaining};t={left}'
