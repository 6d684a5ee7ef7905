"""Redis dies, hangs and comes back, while requests go on."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.redis_server import RedisServer
from tests.service import Service, running
from tests.upstream import Upstream

KEYS = json.dumps([{"name": "few", "variable": "FEW_KEY", "requests_per_minute": 1000, "tokens_per_minute": 10**6}])
HEADERS = {"Authorization": "Bearer sk-few"}


@pytest.fixture
def redis_of_its_own(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.thaw()
    server.kill()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def status(service: Service) -> tuple[str, str]:
    health = service.client.get("/health")
    assert health.status_code == 200
    body = health.json()
    return body["status"], body["dependencies"]["redis"]["status"]


def variables(redis: RedisServer, upstream: Upstream) -> dict[str, str]:
    return {**redis.variables, "LITELLM_URL": upstream.url, "MPC_KEYS": KEYS, "FEW_KEY": "sk-few"}


def test_redis_is_killed_in_the_middle_of_load_and_comes_back(
    upstream: Upstream, redis_of_its_own: RedisServer
) -> None:
    redis = redis_of_its_own
    with running(**variables(redis, upstream)) as service:

        def ask(number: int) -> int:
            if number == 60:
                redis.kill()
            if number == 140:
                redis.start()
            return service.post("/generate/script", {"topic": f"t {number % 7}"}, headers=HEADERS).status_code

        assert status(service) == ("healthy", "healthy")
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(ask, range(200))) == {200}
        until(lambda: status(service) == ("healthy", "healthy"))
        # Health keeps what it saw for a moment, and a line is read a moment after it is written.
        until(lambda: service.events("redis_down") and service.events("redis_up"))
        until(lambda: service.post("/generate/script", {"topic": "t"}).json()["data"]["usage"]["cached"])


def test_redis_hangs_and_nobody_waits_for_long(upstream: Upstream, redis_of_its_own: RedisServer) -> None:
    redis = redis_of_its_own
    settings = variables(redis, upstream) | {"MPC_REDIS_TIMEOUT": "0.5"}
    with running(**settings) as service:
        until(lambda: status(service) == ("healthy", "healthy"))
        redis.freeze()
        # The counter, the cache and the claim would each wait for half a second: only the first of them does.
        answers = [service.post("/generate/script", {"topic": f"t {n}"}, headers=HEADERS) for n in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        until(lambda: status(service) == ("degraded", "unhealthy"))
        assert len(service.events("redis_down")) == 1
        redis.thaw()
        until(lambda: status(service) == ("healthy", "healthy"))
        until(lambda: service.post("/generate/script", {"topic": "t"}).json()["data"]["usage"]["cached"])


def test_without_redis_from_the_start_it_serves_and_says_degraded(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url, REDIS_URL="redis://127.0.0.1:1/0") as service:
        assert status(service) == ("degraded", "unhealthy")
        assert service.post("/generate/script", {"topic": "x"}).status_code == 200
