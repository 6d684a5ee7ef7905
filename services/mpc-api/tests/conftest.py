from collections.abc import Iterator

import pytest

from tests.service import Service, running
from tests.upstream import Upstream


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
