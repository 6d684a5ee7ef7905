import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from mpc_api.answers import Answer
from mpc_api.app import routes, surround
from mpc_api.caching import Cached
from mpc_api.drain import Drain
from mpc_api.generation import Call
from mpc_api.inputs import Input
from mpc_api.keys import Key
from mpc_api.kinds import AnyKind
from mpc_api.quotas import Quotas
from mpc_api.settings import Settings
from tests.service import API_KEY, Service, running
from tests.upstream import Reply, Upstream, error

SECRET = "sk-provider-key-in-an-error"


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The `error` of a failure, after a look at its format."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", answer.headers["x-request-id"])
    body: dict[str, Any] = answer.json()
    assert set(body) == {"error"}
    found: dict[str, Any] = body["error"]
    assert set(found) == {"code", "message", "statusCode", "timestamp", "details"}
    assert (found["code"], found["statusCode"]) == (code, status)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["timestamp"])
    assert isinstance(found["details"], dict)
    assert SECRET not in answer.text
    return found


def paths(found: dict[str, Any]) -> list[str]:
    return [field["path"] for field in found["details"]["fields"]]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        f"Basic {API_KEY}",
        API_KEY,
        f"Bearer {API_KEY}x",
        "Bearer é",
    ],
)
def test_without_the_key_nothing_is_read(service: Service, upstream: Upstream, authorization: str | None) -> None:
    headers = [] if authorization is None else [(b"Authorization", authorization.encode())]
    answer = service.client.post("/generate/script", content=b"{broken", headers=headers)
    problem(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert upstream.seen == []


def test_the_scheme_is_not_case_sensitive(service: Service) -> None:
    answer = service.post("/generate/script", {"topic": "x"}, headers={"Authorization": f"bearer {API_KEY}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/nope", "/generate", "/generate/script/", "/health/", "/docs/x", "/redoc"])
def test_an_unknown_address(service: Service, path: str) -> None:
    problem(service.client.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(("method", "path", "allow"), [("GET", "/generate/script", "POST"), ("POST", "/health", "GET")])
def test_a_method_that_is_not_served(service: Service, method: str, path: str, allow: str) -> None:
    answer = service.client.request(method, path)
    problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize(
    "body", [b"{", b'{"topic": "x"', b"\xff\xfe", b"[" * 200_000, b'{"duration": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_not_json(service: Service, body: bytes) -> None:
    answer = service.post("/generate/script", content=body)
    problem(answer, 400, "BAD_REQUEST")


def test_a_body_that_is_not_called_json(service: Service) -> None:
    answer = service.post("/generate/script", content=b"topic=x", headers={"Content-Type": "text/plain"})
    assert "Content-Type" in problem(answer, 400, "BAD_REQUEST")["message"]


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("script", {}, ["topic"]),
        ("script", {"topic": "  "}, ["topic"]),
        ("script", {"topic": "x" * 501}, ["topic"]),
        ("script", {"topic": "\ud800"}, ["topic"]),
        ("script", {"topic": "x", "surprise": 1}, ["surprise"]),
        ("script", {"topic": "x", "\ud800": 1}, ["body"]),
        ("script", {"topic": "x", "keyPoints": ["a"], "key_points": ["b"]}, ["key_points"]),
        ("script", {"topic": "x", "keyPoints": ["a", ""]}, ["keyPoints.1"]),
        ("script", {"topic": "x", "keyPoints": ["a"] * 21}, ["keyPoints"]),
        ("script", {"topic": "x", "duration": 4}, ["duration"]),
        ("script", {"topic": "x", "duration": 3601}, ["duration"]),
        ("script", {"topic": "x", "duration": 10.5}, ["duration"]),
        ("script", {"topic": "x", "language": "english please"}, ["language"]),
        ("script", {"topic": "x", "format": "epic"}, ["format"]),
        ("script", [], ["body"]),
        ("script", "x", ["body"]),
        ("thumbnail-prompt", {}, ["body"]),
        ("thumbnail-prompt", {"title": "x", "aspectRatio": "7:5"}, ["aspectRatio"]),
        ("metadata", {"keywords": ["x"]}, ["body"]),
        ("metadata", {"topic": "x", "platform": "myspace"}, ["platform"]),
    ],
)
def test_a_field_that_is_not_valid_is_named(
    service: Service, upstream: Upstream, path: str, body: object, wrong: list[str]
) -> None:
    assert paths(problem(service.post(f"/generate/{path}", body), 422, "VALIDATION_ERROR")) == wrong
    assert upstream.seen == []


def test_no_body_at_all(service: Service) -> None:
    assert paths(problem(service.post("/generate/script"), 422, "VALIDATION_ERROR")) == ["body"]


def test_not_every_one_of_very_many_problems_is_listed(service: Service) -> None:
    body = {"topic": "x"} | {f"{index:0200}": 0 for index in range(1000)}
    answer = service.post("/generate/script", body)
    assert len(paths(problem(answer, 422, "VALIDATION_ERROR"))) == 20
    assert len(answer.content) < 10_000


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 65536):
        yield b" " * 65536


@pytest.mark.parametrize("content", [b" " * (2**20 + 1), chunks(2**21)], ids=["announced", "chunked"])
def test_a_body_over_the_limit(service: Service, content: bytes | Iterator[bytes]) -> None:
    answer = service.post("/generate/script", content=content)
    found = problem(answer, 413, "PAYLOAD_TOO_LARGE")
    assert found["details"] == {"limitBytes": 2**20}
    assert service.logged(answer.headers["x-request-id"])["code"] == "PAYLOAD_TOO_LARGE"


def test_a_body_at_the_limit_is_read(service: Service) -> None:
    body = b'{"topic": "x"}'.ljust(2**20)
    answer = service.post("/generate/script", content=body)
    assert answer.status_code == 200


RATE_LIMITED = error(429, f"litellm.RateLimitError: {SECRET}", retry_after="17")
RATE_LIMITED_ODDLY = error(429, "slow down", retry_after="soon")
COOLING = error(429, "No deployments available for selected model, Try again in 60 seconds.")
OVERLOADED = error(503, "litellm.ServiceUnavailableError: x")
BROKEN = error(500, f"litellm.InternalServerError: {SECRET}")
WRONG_KEY = error(401, f"litellm.AuthenticationError: {SECRET}")
TIMED_OUT = error(408, "litellm.Timeout: x")
ELSEWHERE = Reply(302, body=b"", headers={"location": "http://127.0.0.1:1/"})


@pytest.mark.parametrize(
    ("reply", "expected", "retry_after", "error_class", "tries"),
    [
        (RATE_LIMITED, (429, "RATE_LIMIT_EXCEEDED"), "17", "RateLimitError", 1),
        (RATE_LIMITED_ODDLY, (429, "RATE_LIMIT_EXCEEDED"), None, None, 3),
        (COOLING, (503, "SERVICE_UNAVAILABLE"), "60", None, 1),
        (OVERLOADED, (503, "SERVICE_UNAVAILABLE"), "5", "ServiceUnavailableError", 3),
        (BROKEN, (502, "LLM_ERROR"), None, "InternalServerError", 1),
        (WRONG_KEY, (502, "LLM_ERROR"), None, "AuthenticationError", 1),
        (error(400, SECRET), (502, "LLM_ERROR"), None, None, 1),
        (ELSEWHERE, (502, "LLM_ERROR"), None, None, 1),
        (TIMED_OUT, (504, "GATEWAY_TIMEOUT"), None, "Timeout", 1),
        (Reply(504, body=b"<html>"), (504, "GATEWAY_TIMEOUT"), None, None, 1),
    ],
)
def test_what_the_gateway_refuses(  # noqa: PLR0917
    service: Service,
    upstream: Upstream,
    reply: Reply,
    expected: tuple[int, str],
    retry_after: str | None,
    error_class: str | None,
    tries: int,
) -> None:
    upstream.replies.extend([reply] * tries)
    answer = service.post("/generate/script", {"topic": "x"})
    details = problem(answer, *expected)["details"]
    assert service.logged(answer.headers["x-request-id"]).items() >= details.items()
    assert details.get("errorClass") == error_class
    assert details["gatewayStatus"] == reply.status
    assert answer.headers.get("retry-after") == retry_after
    assert len(upstream.seen) == tries


@pytest.mark.parametrize("body", [b"<html>", b"null", b'{"model": "x", "choices": []}', b'{"choices": 1}', b""])
def test_an_answer_that_is_no_chat_completion(service: Service, upstream: Upstream, body: bytes) -> None:
    upstream.replies.append(Reply(body=body))
    problem(service.post("/generate/script", {"topic": "x"}), 502, "LLM_ERROR")


@pytest.mark.parametrize("text", ["", "Here you are!", "{}", '{"title": "\\ud800"}', "[" * 10_000])
def test_nonsense_twice(service: Service, upstream: Upstream, text: str) -> None:
    upstream.replies.extend([Reply(text=text), Reply(text=text)])
    found = problem(service.post("/generate/script", {"topic": "x"}), 500, "GENERATION_FAILED")
    assert found["details"]["attempts"] == 2
    assert found["details"]["problems"]
    assert len(upstream.seen) == 2


def test_a_refusal_is_not_asked_again(service: Service, upstream: Upstream) -> None:
    upstream.replies.append(Reply(text="", refusal="I cannot help with that"))
    found = problem(service.post("/generate/script", {"topic": "x"}), 500, "GENERATION_FAILED")
    assert found["details"] == {"refused": True}
    assert len(upstream.seen) == 1


def test_one_deadline_covers_both_attempts(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url, MPC_REQUEST_TIMEOUT="1") as service:
        upstream.replies.extend([Reply(text="nonsense", delay=0.6), Reply(delay=30)])
        answer = service.post("/generate/script", {"topic": "x"})
        found = problem(answer, 504, "GATEWAY_TIMEOUT")
        assert found["details"] == {"timeoutSeconds": 1.0}
        assert 0.9 < answer.elapsed.total_seconds() < 20


def test_a_page_of_a_listed_origin_may_read_what_failed() -> None:
    with running(LITELLM_URL="http://127.0.0.1:1", MPC_CORS_ORIGINS="https://studio.example") as service:
        answer = service.post("/generate/script", {"topic": "x"}, headers={"Origin": "https://studio.example"})
        problem(answer, 503, "SERVICE_UNAVAILABLE")
        assert answer.headers["access-control-allow-origin"] == "https://studio.example"


def test_a_gateway_that_is_not_there() -> None:
    with running(LITELLM_URL="http://127.0.0.1:1") as service:
        answer = service.post("/generate/script", {"topic": "x"})
        problem(answer, 503, "SERVICE_UNAVAILABLE")
        assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(("method", "path"), [("GET", "/broken"), ("POST", "/generate/script")])
def test_a_fault_of_ours_shows_an_id_and_nothing_else(
    capsys: pytest.CaptureFixture[str], method: str, path: str
) -> None:
    settings = Settings(keys=((b"k", Key("main")),), gateway_key="g")
    drain, quotas = Drain(), Quotas(None)
    inner = routes(settings, drain, None, quotas)
    app = surround(inner, settings, drain, quotas)

    @inner.get("/broken")
    async def broken() -> None:
        raise RuntimeError(SECRET)

    async def generate(kind: AnyKind, wanted: Input, call: Call) -> Answer:
        raise RuntimeError(SECRET, kind, wanted, call)

    inner.state.cached = Cached(generate, lambda kind: kind.name, link=None, quotas=quotas, seconds=60)
    inner.state.generate = generate

    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"X-Request-ID": "r-1", "Authorization": "Bearer k"}
            return await client.request(method, path, headers=headers, json={"topic": "x"})

    answer = asyncio.run(ask())
    found = problem(answer, 500, "INTERNAL_ERROR")
    assert list(found["details"]) == ["errorId"]
    assert re.fullmatch("[0-9a-f]{32}", found["details"]["errorId"])
    assert answer.headers["x-request-id"] == "r-1"
    assert SECRET not in capsys.readouterr().out
