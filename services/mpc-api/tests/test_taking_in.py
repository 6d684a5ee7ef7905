"""What is refused before it costs anything: heads, bodies, depth, slow senders, too many at once."""

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpc_api.bodies import MAX_DEPTH, refuse_deep
from mpc_api.errors import ApiError
from tests.redis_server import RedisServer
from tests.service import API_KEY, Service, running
from tests.test_caching import until
from tests.test_errors import problem
from tests.upstream import Reply, Upstream

KEY = f"Authorization: Bearer {API_KEY}\r\n"


@pytest.fixture(scope="module")
def strict(shared_upstream: Upstream) -> Iterator[Service]:
    variables = {
        "MPC_BODY_TIMEOUT": "1",
        "MPC_MAX_IN_FLIGHT": "2",
        "MPC_CORS_ORIGINS": "https://studio.example, http://localhost:5173",
    }
    with running(LITELLM_URL=shared_upstream.url, **variables) as service:
        yield service


@contextmanager
def connection(service: Service) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2])), timeout=60) as one:
        yield one


def answer(one: socket.socket) -> tuple[int, str, dict[str, object]]:
    """Status, head and error of the answer on a connection that the service closes."""
    head, _, body = one.makefile("rb").read().decode().partition("\r\n\r\n")
    error: dict[str, object] = json.loads(body)["error"]
    return int(head.split(" ")[1]), head.lower(), error


@pytest.mark.parametrize(
    "head",
    [
        f"GET /health HTTP/1.1\r\nHost: x\r\nX-Big: {'a' * 40_000}\r\n\r\n",
        "GET /health HTTP/1.1\r\n" + "".join(f"X-{n}: {'a' * 100}\r\n" for n in range(400)) + "\r\n",
        f"GET /health?{'a' * 40_000} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET /health HTTP/1.1\r\nHost: x\r\nX-Endless: {'a' * 300_000}",
    ],
    ids=["one", "many", "address", "endless"],
)
def test_a_head_that_is_too_large(service: Service, head: str) -> None:
    with connection(service) as one:
        try:
            one.sendall(head.encode())
        except OSError:
            return  # refused and closed while the rest was on its way
        try:
            status, raw, error = answer(one)
        except ConnectionResetError:
            return
    assert (status, error["code"]) == (431, "HEADERS_TOO_LARGE")
    assert "connection: close" in raw


def test_what_is_not_http(service: Service) -> None:
    with connection(service) as one:
        one.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        status, _, error = answer(one)
    assert (status, error["code"], error["statusCode"]) == (400, "BAD_REQUEST", 400)


@pytest.mark.parametrize("begun", ["", "GET /health HT", "GET /health HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_in_time(strict: Service, begun: str) -> None:
    with connection(strict) as one:
        one.sendall(begun.encode())
        status, _, error = answer(one)
    assert (status, error["code"]) == (408, "REQUEST_TIMEOUT")


def test_a_body_that_does_not_come_in_time(strict: Service, upstream: Upstream) -> None:
    with connection(strict) as one:
        head = f"POST /generate/script HTTP/1.1\r\nHost: x\r\n{KEY}Content-Type: application/json\r\n"
        one.sendall(f'{head}Content-Length: 100\r\n\r\n{{"topic": "x'.encode())
        status, raw, error = answer(one)
    assert (status, error["code"], error["details"]) == (408, "REQUEST_TIMEOUT", {"timeoutSeconds": 1.0})
    assert "connection: close" in raw
    assert upstream.seen == []


def test_a_stranger_is_refused_before_the_body_comes(strict: Service) -> None:
    with connection(strict) as one:
        one.sendall(b"POST /generate/script HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n")
        status, _, error = answer(one)
    assert (status, error["code"]) == (401, "UNAUTHORIZED")


def test_more_at_once_than_the_setting_says_are_refused_and_health_is_not(strict: Service, upstream: Upstream) -> None:
    upstream.replies.extend([Reply(delay=2), Reply(delay=2)])
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(strict.post, "/generate/script", {"topic": f"t {number}"}) for number in range(2)]
        until(lambda: len(upstream.seen) == 2)
        refused = strict.post("/generate/script", {"topic": "x"})
        assert strict.client.get("/health").status_code == 200
        assert [one.result().status_code for one in slow] == [200, 200]
    assert problem(refused, 503, "SERVICE_UNAVAILABLE")["details"] == {"maxInFlight": 2}
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize("body", ["[" * 33, '{"a":' * 33, '{"topic": ' + "[{" * 20 + "}]" * 20 + "}"])
def test_json_that_is_nested_too_deep(service: Service, body: str) -> None:
    found = problem(service.post("/generate/script", content=body.encode()), 400, "BAD_REQUEST")
    assert found["details"] == {"limitDepth": 32}


def test_brackets_in_text_are_text(service: Service) -> None:
    assert service.post("/generate/script", {"topic": "[{" * 100 + '\\"' + "[" * 50}).status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a"\\[]{}\n'), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('[{"', max_size=3), inner, max_size=3),
    max_leaves=30,
)


@given(JSON, st.integers(0, 40))
def test_depth_is_what_a_parser_would_say(value: object, further: int) -> None:
    def depth(node: object) -> int:
        if isinstance(node, dict):
            node = list(node.values())
        return 1 + max(map(depth, node), default=0) if isinstance(node, list) else 0

    for _ in range(further):
        value = [value]
    text = json.dumps(value, ensure_ascii=False).encode()
    if depth(value) > MAX_DEPTH:
        with pytest.raises(ApiError):
            refuse_deep(text)
    else:
        refuse_deep(text)


@given(st.binary(max_size=3000))
def test_no_bytes_make_the_depth_check_fail_otherwise(body: bytes) -> None:
    with suppress(ApiError):
        refuse_deep(body * 20)


@pytest.mark.parametrize("path", ["/health", "/metrics", "/generate/script", "/nope"])
def test_security_headers_are_on_every_answer(service: Service, path: str) -> None:
    headers = service.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def test_pages_of_listed_origins_may_call(strict: Service) -> None:
    origin = {"Origin": "https://studio.example"}
    asked = strict.client.options("/generate/script", headers=PREFLIGHT | origin)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, "https://studio.example")
    found = strict.post("/generate/script", {"topic": "x"}, headers=origin)
    assert found.headers["access-control-allow-origin"] == "https://studio.example"
    assert "RateLimit" in found.headers["access-control-expose-headers"]


def test_pages_of_others_may_not(strict: Service, service: Service) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    for one in (strict, service):
        assert (
            "access-control-allow-origin"
            not in one.client.options("/generate/script", headers=PREFLIGHT | origin).headers
        )
        assert "access-control-allow-origin" not in one.post("/generate/script", {"topic": "x"}, headers=origin).headers


def test_the_documentation_loads_nothing_from_elsewhere(service: Service) -> None:
    page = service.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        found = service.client.get(f"/{address}")
        assert (found.status_code, address.startswith("docs/")) == (200, True)
        assert found.headers["content-type"].split(";")[0] in {"text/javascript", "text/css", "image/png"}
    assert service.client.get("/openapi.json").json()["openapi"].startswith("3.1")


def metric(service: Service, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} ([\d.e+]+)$", service.client.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_metrics_count_what_happens(shared_upstream: Upstream, redis: RedisServer) -> None:
    keys = json.dumps([{"name": "few", "variable": "FEW_KEY", "requests_per_minute": 1}])
    settings = {**redis.variables, "LITELLM_URL": shared_upstream.url, "MPC_KEYS": keys, "FEW_KEY": "sk-few"}
    with running(**settings) as service:
        for _ in range(2):
            service.post("/generate/script", {"topic": "counted"})
            until(redis.names)
        service.post("/generate/script", {})
        for _ in range(3):
            service.post("/generate/script", {"topic": "x"}, headers={"Authorization": "Bearer sk-few"})
        assert metric(service, 'mpc_requests_total{endpoint="/generate/script",method="POST",status="200"}') >= 2
        assert metric(service, 'mpc_request_seconds_count{endpoint="/generate/script"}') == 6
        assert metric(service, 'mpc_errors_total{code="VALIDATION_ERROR",endpoint="/generate/script"}') == 1
        assert metric(service, 'mpc_cache_total{result="hit"}') >= 1
        assert metric(service, 'mpc_tokens_total{key="main",kind="prompt",model="test/mpc-script"}') == 100
        assert metric(service, 'mpc_rate_limit_rejections_total{key="few",quota="requests"}') >= 1
        assert metric(service, "mpc_redis_up") == 1
        assert metric(service, "mpc_requests_in_flight") == 1
        text = service.client.get("/metrics").text
    assert API_KEY not in text
    assert "sk-few" not in text


def test_addresses_that_strangers_make_up_are_one_series(service: Service) -> None:
    service.client.get("/made-up")
    service.client.request("BREW", "/health/made-up")
    text = service.client.get("/metrics").text
    assert "made-up" not in text
    assert "BREW" not in text


def test_logs_for_people(shared_upstream: Upstream) -> None:
    with running(LITELLM_URL=shared_upstream.url, LOG_FORMAT="text") as service:
        service.post("/generate/script", {"topic": "x"}, headers={"X-Request-ID": "readable"})
        until(lambda: "readable" in service.raw_logs)
    line = next(line for line in service.raw_logs.splitlines() if "readable" in line)
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} INFO    request requestId=readable method=POST ", line)
