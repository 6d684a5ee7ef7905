"""MPC-API in a stack: real gateway, real Redis, both killed while requests run. One stack for all."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Cli, docker, new_cli

SETTINGS = """timeout: 500
services:
  mpc-api:
    request_timeout: 120
    keys:
      - {name: editor, variable: EDITOR_KEY, scopes: [script], requests_per_minute: 3}
"""
SCRIPT = "/generate/script"


@pytest.fixture(scope="module", name="stack")
def _stack(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    one = new_cli(command, tmp_path_factory.mktemp("stack"))
    one.settings(SETTINGS)
    try:
        done = one.run("up")
        assert done.returncode == 0, done.stdout + done.stderr
        yield one
    finally:
        one.remove()


def until(condition: Callable[[], object], *, seconds: float = 400) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def new_topic() -> dict[str, object]:
    return {"topic": f"topic {uuid.uuid4().hex}", "duration": 30}


class Caller:
    """Requests to one stack, whose address and key are asked for once."""

    def __init__(self, cli: Cli, key: str = "MPC_API_KEY") -> None:
        self._url = cli.url("mpc-api")
        self._headers = {"Authorization": f"Bearer {cli.keys()[key]}"}

    def post(self, path: str, body: object) -> httpx.Response:
        return httpx.post(self._url + path, json=body, headers=self._headers, timeout=150)

    def health(self) -> dict[str, str]:
        body = httpx.get(self._url + "/health", timeout=60).json()
        found = {name: one["status"] for name, one in body["dependencies"].items()}
        return {"status": body["status"], **found}


HEALTHY = {"status": "healthy", "litellm": "healthy", "redis": "healthy"}


def test_an_answer_is_kept_in_the_redis_of_the_stack(stack: Cli) -> None:
    caller, body = Caller(stack), new_topic()
    first = caller.post(SCRIPT, body)
    assert first.status_code == 200, first.text
    assert first.json()["data"]["usage"]["cached"] is False
    until(lambda: caller.post(SCRIPT, body).json()["data"]["usage"]["cached"])
    assert "mpc:answer:" in stack.redis("KEYS", "mpc:answer:*")
    assert caller.health() == HEALTHY


def test_a_further_key_has_the_scopes_and_limits_of_the_settings(stack: Cli) -> None:
    editor = Caller(stack, "EDITOR_KEY")
    assert editor.post("/generate/metadata", {"topic": "x"}).json()["error"]["code"] == "FORBIDDEN"
    assert editor.post(SCRIPT, {"topic": "limited"}).status_code == 200

    def refused() -> bool:
        answer = editor.post(SCRIPT, {"topic": "limited"})
        assert answer.headers["ratelimit-policy"] == '"requests";q=3;w=60'
        return answer.status_code == 429 and 1 <= int(answer.headers["retry-after"]) <= 60

    until(refused)


def test_the_container_is_as_closed_as_it_can_be(stack: Cli) -> None:
    found = json.loads(docker("inspect", stack.ids()["mpc-api"]))[0]
    host = found["HostConfig"]
    assert (found["Config"]["User"], host["ReadonlyRootfs"]) == ("65532:65532", True)
    assert (host["Memory"], host["CapDrop"]) == (256 * 1024**2, ["ALL"])
    assert stack.keys()["EDITOR_KEY"] not in json.dumps(found)


def test_metrics_and_documentation_are_there_through_the_edge(stack: Cli) -> None:
    url = stack.url("mpc-api")
    assert "mpc_requests_total" in httpx.get(f"{url}/metrics", timeout=60).text
    assert httpx.get(f"{url}/docs/swagger-ui-bundle.js", timeout=60).status_code == 200


def statuses_while(caller: Caller, disturb: Callable[[], object], *, number: int) -> list[httpx.Response]:
    """The answers to `number` different requests, 4 at a time; a fifth of them in, `disturb` happens."""

    def ask(index: int) -> httpx.Response:
        if index == number // 5:
            disturb()
        return caller.post(SCRIPT, new_topic())

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(ask, range(number)))


def test_redis_is_killed_in_the_middle_of_load_and_nobody_notices(stack: Cli) -> None:
    caller, redis = Caller(stack), stack.ids()["redis"]
    answers = statuses_while(caller, lambda: docker("kill", redis), number=24)
    try:
        assert {answer.status_code for answer in answers} == {200}
        until(lambda: caller.health() == {**HEALTHY, "status": "degraded", "redis": "unhealthy"})
    finally:
        docker("start", redis)
    until(lambda: caller.health() == HEALTHY)


def test_the_gateway_is_killed_in_the_middle_of_load_and_every_answer_says_so_properly(stack: Cli) -> None:
    caller, gateway = Caller(stack), stack.ids()["litellm"]
    answers = statuses_while(caller, lambda: docker("kill", gateway), number=24)
    try:
        codes = {answer.status_code: answer.json().get("error", {}).get("code", "") for answer in answers}
        named = {200: "", 502: "LLM_ERROR", 503: "SERVICE_UNAVAILABLE", 504: "GATEWAY_TIMEOUT"}
        assert codes.items() <= named.items()
        assert 503 in codes
        until(lambda: caller.health()["status"] == "unhealthy")
    finally:
        docker("start", gateway)
    until(lambda: caller.health() == HEALTHY)
    until(lambda: caller.post(SCRIPT, new_topic()).status_code == 200)
