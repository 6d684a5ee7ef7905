"""Two gateways beside each other, what they share through Redis, and what they do without it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.gateway.stage import Gateway, Stage, Upstream, deployment, docker, eventually

REQUESTS = 2_000
CLIENTS = 16
LIGHT, HEAVY = 2, 3
REDIS = {"host": "os.environ/REDIS_HOST", "port": "os.environ/REDIS_PORT"}
CONFIG: dict[str, Any] = {
    "model_list": [
        deployment("spread", "light", weight=LIGHT),
        deployment("spread", "heavy", weight=HEAVY),
        deployment("first", "first", "openai/first"),
        deployment("second", "second", "openai/second"),
    ],
    "litellm_settings": {
        "num_retries": 0,
        "request_timeout": 30,
        "cache": True,
        # Off unless asked for, so that the other tests meet the providers.
        "cache_params": {"type": "redis", **REDIS, "mode": "default_off", "socket_timeout": 0.5},
    },
    "router_settings": {
        "num_retries": 0,
        "allowed_fails": 1,
        "cooldown_time": 600,
        "fallbacks": [{"first": ["second"]}],
        "redis_host": REDIS["host"],
        "redis_port": REDIS["port"],
    },
    "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
}
USE_CACHE = {"cache": {"use-cache": True}}
REDIS_OPTIONS = ("--env=REDIS_HOST=redis", "--env=REDIS_PORT=6379")


@pytest.fixture(scope="module")
def redis(stage: Stage) -> str:
    return stage.redis()


@pytest.fixture(scope="module")
def gateways(stage: Stage, redis: str, upstreams: Upstream) -> list[Gateway]:
    """Two replicas, and one with another master key."""
    assert redis
    assert upstreams
    keys = [{}, {}, {"LITELLM_MASTER_KEY": "sk-another-master-key-0123456789abcdef"}]
    started = [stage.start(CONFIG, key, *REDIS_OPTIONS) for key in keys]
    for gateway in started:
        eventually(gateway.ready)
    return started


def shares(gateways: list[Gateway], upstream: Upstream) -> Counter[str]:
    """How often each deployment was asked so far, after `REQUESTS` more through both gateways."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = pool.map(lambda number: gateways[number % 2].chat("spread", f"{number}"), range(REQUESTS))
        assert {answer.status_code for answer in answers} == {200}
    return Counter({name: len(upstream.received(name)) for name in ("light", "heavy")})


def within_a_tenth(found: Counter[str]) -> bool:
    wanted = {"light": LIGHT, "heavy": HEAVY}
    return all(
        abs(found[name] / found.total() / (weight / sum(wanted.values())) - 1) <= 0.1 for name, weight in wanted.items()
    )


def test_deployments_get_their_weights_within_a_tenth(gateways: list[Gateway], upstream: Upstream) -> None:
    found = shares(gateways, upstream)
    if not within_a_tenth(found):
        # Chance does this once in 4,000 times; with twice as many requests once in 500,000.
        found = shares(gateways, upstream)
    assert within_a_tenth(found), found


def test_what_one_gateway_leaves_alone_the_other_leaves_alone_too(gateways: list[Gateway], upstream: Upstream) -> None:
    upstream.script("first", "500")

    def left_alone() -> bool:
        before = len(upstream.received("first"))
        assert gateways[0].chat("first").status_code == 200
        return len(upstream.received("first")) == before

    eventually(left_alone)
    upstream.script("first", "answer")
    # Knowing nothing of it, the other one would ask the first for ever, because it answers again.
    eventually(lambda: "second" in gateways[1].chat("first").text)


def test_the_same_request_never_reaches_a_provider_twice_whichever_gateway_gets_it(
    gateways: list[Gateway], upstream: Upstream
) -> None:
    first = gateways[0].chat("second", "cached", **USE_CACHE)
    assert first.status_code == 200

    def from_cache() -> bool:
        before = len(upstream.received("second"))
        again = gateways[1].chat("second", "cached", **USE_CACHE)
        assert again.json()["choices"] == first.json()["choices"]
        return len(upstream.received("second")) == before

    eventually(from_cache)
    seen = len(upstream.received("second"))
    assert gateways[0].chat("second", "cached", **USE_CACHE).status_code == 200
    assert gateways[1].chat("second", "cached", **USE_CACHE).status_code == 200
    assert len(upstream.received("second")) == seen


def test_another_request_is_not_answered_from_the_cache(gateways: list[Gateway], upstream: Upstream) -> None:
    for text in ("this", "that"):
        assert text in gateways[0].chat("second", text, **USE_CACHE).text
    assert len(upstream.received("second")) == 2


def test_what_was_cached_under_one_master_key_is_never_given_to_another(
    gateways: list[Gateway], upstream: Upstream, redis: str
) -> None:
    assert gateways[0].chat("second", "private", **USE_CACHE).status_code == 200
    keys = docker("exec", redis, "redis-cli", "--raw", "keys", "*").split()
    assert gateways[2].chat("second", "private", **USE_CACHE).status_code == 200
    assert len(upstream.received("second")) == 2
    assert not any("sk-" in key for key in keys)


def test_without_redis_requests_still_pass(gateways: list[Gateway], upstream: Upstream, redis: str) -> None:
    docker("stop", "--time=10", redis)
    for gateway in gateways:
        for more in ({}, USE_CACHE):
            assert gateway.chat("second", "no redis", **more).status_code == 200
    assert len(upstream.received("second")) == 6
    docker("start", redis)
    eventually(lambda: gateways[0].chat("second", "redis again", **USE_CACHE).is_success)
