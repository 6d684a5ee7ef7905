from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.redis_server import RedisServer
from tests.service import Service, running
from tests.upstream import Upstream

# How fast a machine is says nothing about what it computes.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(shared_upstream: Upstream) -> Upstream:
    shared_upstream.reset()
    return shared_upstream


@pytest.fixture(scope="session")
def shared_service(shared_upstream: Upstream) -> Iterator[Service]:
    with running(LITELLM_URL=shared_upstream.url) as service:
        yield service


@pytest.fixture
def service(shared_service: Service, upstream: Upstream) -> Service:
    """One process for all tests that do not end it; its upstream starts every test unscripted."""
    assert upstream.replies is not None
    return shared_service


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def redis(shared_redis: RedisServer) -> RedisServer:
    """One Redis for all; every module finds it empty. Whoever stops it starts it again."""
    shared_redis.wipe()
    return shared_redis
