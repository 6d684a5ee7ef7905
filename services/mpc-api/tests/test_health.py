from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.service import Service, running
from tests.upstream import Reply, Upstream


@pytest.mark.parametrize(
    ("gateway", "status", "code"),
    [
        (Reply(200), "healthy", 200),
        (Reply(401), "degraded", 200),
        (Reply(500), "degraded", 200),
        (Reply(503), "unhealthy", 503),
        (Reply(200, delay=2.5), "unhealthy", 503),
    ],
)
def test_the_gateway_decides(upstream: Upstream, gateway: Reply, status: str, code: int) -> None:
    upstream.readiness = gateway
    with running(LITELLM_URL=upstream.url) as service:
        answer = service.client.get("/health")
    body = answer.json()
    assert answer.status_code == code
    assert (body["service"], body["status"], body["draining"]) == ("mpc-api", status, False)
    assert body["dependencies"]["litellm"]["status"] == status
    assert body["dependencies"]["litellm"]["latencyMs"] > 0
    assert 0 <= body["uptimeSeconds"] < 30
    assert body["version"]
    assert ("error" in body) == (code == 503)
    if code == 503:
        assert body["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert body["error"]["statusCode"] == 503


def test_no_gateway_is_unhealthy_but_alive() -> None:
    with running(LITELLM_URL="http://127.0.0.1:1") as service:
        assert service.client.get("/health").json()["status"] == "unhealthy"
        live = service.client.get("/health/live")
        assert (live.status_code, live.json()["status"]) == (200, "alive")


def test_many_callers_share_one_look(service: Service, upstream: Upstream) -> None:
    upstream.readiness = Reply(200, delay=0.2)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: service.client.get("/health").status_code, range(30)))
    assert answers == [200] * 30
    assert upstream.readiness_asked <= 2
    assert upstream.seen == []


def test_the_document_describes_the_endpoints(service: Service) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/health",
        "/health/live",
        "/metrics",
        "/generate/script",
        "/generate/thumbnail-prompt",
        "/generate/metadata",
        "/generate/batch",
    }
    script = paths["/generate/script"]["post"]
    assert script["security"] == [{"HTTPBearer": []}]
    assert set(script["responses"]) == {
        "200",
        "400",
        "401",
        "403",
        "408",
        "413",
        "422",
        "429",
        "500",
        "502",
        "503",
        "504",
    }
