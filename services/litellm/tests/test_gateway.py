"""A real gateway in a real container, asked over HTTP.

Environment: AIINFRA_LITELLM_IMAGE, the image to test; without it one is built from this folder and removed again.
"""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema
import pytest

from gateway_container import CONFIG, LOCKED_DOWN, MODELS, built_image, docker, mounted, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.engine

MASTER_KEY = f"sk-{uuid.uuid4().hex}"
SLOW_SECONDS = 2
SLOW = f"mock/slow-{SLOW_SECONDS}"
IMAGE_UID = 65532
OTHER_UID = 12345
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "seconds": {"type": "integer", "minimum": 15, "maximum": 60}},
    "required": ["title", "seconds"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    with built_image() as tag:
        yield tag


@pytest.fixture(scope="module")
def container(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    mounts = mounted(tmp_path_factory.mktemp("gateway"), CONFIG, MASTER_KEY, IMAGE_UID)
    options = (*mounts, "--publish=127.0.0.1::4000")
    with running(image, *options) as name:
        yield name


@pytest.fixture(scope="module")
def gateway(container: str) -> Iterator[httpx.Client]:
    address = docker("port", container, "4000/tcp")
    key = {"Authorization": f"Bearer {MASTER_KEY}"}
    with httpx.Client(base_url=f"http://{address}", headers=key, timeout=60, trust_env=False) as client:

        def ready() -> bool:
            try:
                return client.get("/health/readiness", headers={"Authorization": ""}).is_success
            except httpx.TransportError:
                return False

        wait_until(ready, container)
        yield client


def body(model: str = "default", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Tell me about volcanoes"}], **more}


def chat(gateway: httpx.Client, model: str = "default", **more: Any) -> httpx.Response:
    return gateway.post("/v1/chat/completions", json=body(model, **more))


def content(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])


def streamed(gateway: httpx.Client, **more: Any) -> list[dict[str, Any]]:
    asked = body(stream=True, stream_options={"include_usage": True}, **more)
    response = gateway.post("/v1/chat/completions", json=asked)
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_it_serves_exactly_the_models_of_its_configuration(gateway: httpx.Client) -> None:
    served = gateway.get("/v1/models").json()["data"]
    assert {model["id"] for model in served} == set(MODELS)


def test_an_answer_is_made_from_the_prompt(gateway: httpx.Client) -> None:
    response = chat(gateway)
    usage = response.json()["usage"]
    assert "volcanoes" in content(response)
    assert response.json()["choices"][0]["finish_reason"] == "stop"
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"]


def test_the_same_request_gets_the_same_answer(gateway: httpx.Client) -> None:
    assert content(chat(gateway)) == content(chat(gateway))
    assert content(chat(gateway)) != content(chat(gateway, seed=7))


def test_a_stream_carries_the_same_answer_in_pieces(gateway: httpx.Client) -> None:
    chunks = streamed(gateway)
    pieces = [choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]]
    whole = chat(gateway)
    assert "".join(pieces) == content(whole)
    assert len(pieces) > 10
    counted = {key: chunks[-1]["usage"][key] for key in ("prompt_tokens", "completion_tokens", "total_tokens")}
    assert counted == {key: whole.json()["usage"][key] for key in counted}


def test_an_answer_keeps_the_schema(gateway: httpx.Client) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "clip", "strict": True, "schema": SCHEMA}}
    made = json.loads(content(chat(gateway, response_format=shape)))
    jsonschema.validate(made, SCHEMA)
    assert "Volcanoes" in made["title"]


def test_an_impossible_schema_is_the_callers_fault(gateway: httpx.Client) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "none", "schema": {"enum": []}}}
    assert chat(gateway, response_format=shape).status_code == 400


def test_a_required_tool_is_called(gateway: httpx.Client) -> None:
    tool = {"type": "function", "function": {"name": "cut", "parameters": SCHEMA}}
    plain = chat(gateway, tools=[tool], tool_choice="required").json()["choices"][0]
    call = plain["message"]["tool_calls"][0]["function"]
    assert (plain["finish_reason"], call["name"]) == ("tool_calls", "cut")
    jsonschema.validate(json.loads(call["arguments"]), SCHEMA)
    deltas = [
        choice["delta"]
        for chunk in streamed(gateway, tools=[tool], tool_choice="required")
        for choice in chunk["choices"]
    ]
    calls = [call for delta in deltas for call in delta.get("tool_calls") or ()]
    assert "".join(made["function"]["arguments"] or "" for made in calls) == call["arguments"]


def test_max_tokens_cuts(gateway: httpx.Client) -> None:
    response = chat(gateway, max_tokens=5)
    assert content(chat(gateway)).startswith(content(response))
    assert response.json()["choices"][0]["finish_reason"] == "length"
    assert response.json()["usage"]["completion_tokens"] == 5


@pytest.mark.parametrize(("model", "status"), [("rate-limit", 429), ("timeout", 408), ("server-error", 500)])
def test_a_failing_model_fails_in_its_own_way_every_time(gateway: httpx.Client, model: str, status: int) -> None:
    for _ in range(5):
        response = chat(gateway, f"mock/{model}")
        assert response.status_code == status
        assert f"mock/{model}: the mock provider fails on purpose" in response.json()["error"]["message"]
    assert chat(gateway, f"mock/{model}", stream=True).status_code == status
    assert chat(gateway).status_code == 200


def test_a_rate_limit_says_when_to_come_back(gateway: httpx.Client) -> None:
    assert chat(gateway, "mock/rate-limit").headers["retry-after"] == "1"


def test_garbage_is_not_json(gateway: httpx.Client) -> None:
    made = content(chat(gateway, "mock/garbage", response_format={"type": "json_object"}))
    with pytest.raises(json.JSONDecodeError):
        json.loads(made)


def test_slow_is_slow_and_drips(gateway: httpx.Client) -> None:
    started = time.monotonic()
    with gateway.stream("POST", "/v1/chat/completions", json=body(SLOW, stream=True)) as response:
        arrived = [time.monotonic() - started for _ in response.iter_lines()]
    assert arrived[0] < SLOW_SECONDS / 2
    assert arrived[-1] >= SLOW_SECONDS
    started = time.monotonic()
    assert "volcanoes" in content(chat(gateway, SLOW))
    assert time.monotonic() - started >= SLOW_SECONDS


@pytest.mark.parametrize(("key", "status"), [("", 401), ("Bearer sk-wrong", 400), ("Bearer wrong", 400)])
def test_without_the_right_key_nothing_is_answered(gateway: httpx.Client, key: str, status: int) -> None:
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions")):
        response = gateway.request(method, path, json=body(), headers={"Authorization": key})
        assert response.status_code == status
        assert MASTER_KEY not in response.text


def test_the_api_description_is_off(gateway: httpx.Client) -> None:
    assert gateway.get("/openapi.json").status_code == 404


def test_probes_leave_no_log_lines(gateway: httpx.Client, container: str) -> None:
    for path in ("/health/readiness", "/health/liveliness"):
        assert gateway.get(path).status_code == 200
    assert chat(gateway).status_code == 200
    logs = docker("logs", container)
    assert "/v1/chat/completions" in logs
    assert "/health/" not in logs


def test_no_secret_is_shown_by_the_engine(gateway: httpx.Client, container: str) -> None:
    assert chat(gateway).status_code == 200
    assert MASTER_KEY not in docker("inspect", container)
    assert MASTER_KEY not in docker("logs", container)
    assert MASTER_KEY not in docker("top", container)


def test_it_is_process_1_and_nobody(gateway: httpx.Client, container: str) -> None:
    assert gateway.is_closed is False
    status = docker("exec", container, "python", "-c", "print(open('/proc/1/status').read())")
    assert f"Uid:\t{IMAGE_UID}\t{IMAGE_UID}" in status
    assert "CapEff:\t0000000000000000" in status
    assert "uvicorn" in docker("exec", container, "python", "-c", "print(open('/proc/1/cmdline').read())")


def test_without_a_network_as_any_user_it_starts_answers_and_stops(image: str, tmp_path: Path) -> None:
    mounts = mounted(tmp_path, CONFIG, MASTER_KEY, OTHER_UID)
    ask = (
        "import json, sys, urllib.request as u\n"
        f"r = u.Request('http://127.0.0.1:4000/v1/chat/completions', json.dumps({body()!r}).encode(),"
        " {'Authorization': 'Bearer ' + sys.stdin.read(), 'Content-Type': 'application/json'})\n"
        "print(json.load(u.urlopen(r))['choices'][0]['message']['content'])"
    )

    with running(image, *mounts, f"--user={OTHER_UID}:{OTHER_UID}", "--network=none") as name:

        def answer() -> str:
            command = ["docker", "exec", "--interactive", name, "python", "-c", ask]
            done = subprocess.run(command, input=MASTER_KEY, capture_output=True, check=False, encoding="utf-8")
            return done.stdout

        wait_until(lambda: "volcanoes" in answer(), name)
        docker("stop", "--time=20", name)
        assert docker("inspect", "--format={{.State.ExitCode}}", name) == "0"


def test_without_a_configuration_it_says_so_and_stops(image: str) -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", *LOCKED_DOWN, image],
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr.count("\n")) == (78, 1)
    assert "/etc/litellm/config.yaml" in done.stderr
