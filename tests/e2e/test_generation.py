"""MPC-API with a real LiteLLM and the mock provider, its failing models too; and `generate` of the command line."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.conftest import REPOSITORY
from tests.e2e.conftest import Cli

API = REPOSITORY / "services" / "mpc-api"
KEY = "sk-test-generation-0123456789abcdef"


@contextmanager
def service(stack: Cli, **variables: str) -> Iterator[httpx.Client]:
    """MPC-API as a process beside the stack, with other models, asking the stack's gateway."""
    process = subprocess.Popen(
        [str(API / ".venv" / "bin" / "python"), "-m", "mpc_api"],
        cwd=API,
        env={
            "PATH": os.environ["PATH"],
            "PORT": "0",
            "MPC_SECRETS_DIR": "/nonexistent",
            "MPC_API_KEY": KEY,
            "LITELLM_MASTER_KEY": stack.keys()["LITELLM_MASTER_KEY"],
            "LITELLM_URL": stack.url("litellm"),
            **variables,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    try:
        port = next(json.loads(line)["port"] for line in process.stdout if '"started"' in line)
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=120) as client:
            yield client
    finally:
        process.kill()
        process.communicate()


BODIES: dict[str, dict[str, Any]] = {
    "script": {"topic": "Volcanoes", "duration": 45, "keyPoints": ["magma", "ash"], "callToAction": "Subscribe!"},
    "thumbnail-prompt": {"title": "Volcanoes", "brandColours": ["#FF0000"], "textOverlay": "BOOM"},
    "metadata": {"topic": "Volcanoes", "platform": "youtube", "keywords": ["lava"]},
}


@pytest.fixture(scope="module")
def failing(healthy: Cli) -> Iterator[httpx.Client]:
    models = {"SCRIPT": "mock/rate-limit", "THUMBNAIL": "mock/timeout", "METADATA": "mock/server-error"}
    with service(healthy, **{f"MPC_MODEL_{name}": model for name, model in models.items()}) as client:
        yield client


@pytest.mark.parametrize("kind", BODIES)
def test_each_kind_is_answered_by_schema_in_one_call(healthy: Cli, kind: str) -> None:
    answer = healthy.post(f"/generate/{kind}", BODIES[kind])
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data["usage"]["provider"] == "mock"
    assert data["usage"]["promptTokens"] > 0
    if kind == "script":
        assert sum(section["seconds"] for section in data["sections"]) == 45
        assert data["checks"] == {"languageOk": True, "durationOk": True}
        assert data["callToAction"] == "Subscribe!"
    if kind == "thumbnail-prompt":
        assert (data["textOverlay"], data["colours"][0]) == ("BOOM", "#FF0000")


@pytest.mark.parametrize(
    ("kind", "status", "code", "error_class"),
    [
        ("script", 429, "RATE_LIMIT_EXCEEDED", "RateLimitError"),
        ("thumbnail-prompt", 504, "GATEWAY_TIMEOUT", "Timeout"),
        ("metadata", 502, "LLM_ERROR", "InternalServerError"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_failing_provider_has_its_own_code(  # noqa: PLR0917
    failing: httpx.Client, healthy: Cli, kind: str, status: int, code: str, error_class: str, *, streamed: bool
) -> None:
    answer = failing.post(f"/generate/{kind}?stream={str(streamed).lower()}", json=BODIES[kind])
    if streamed:
        assert answer.status_code == 200
        assert answer.text.count("event: error") == 1
        problem = json.loads(answer.text.rpartition("data: ")[2])["error"]
    else:
        assert answer.status_code == status, answer.text
        problem = answer.json()["error"]
    assert (problem["code"], problem["statusCode"]) == (code, status)
    assert problem["details"]["errorClass"] == error_class
    assert healthy.keys()["LITELLM_MASTER_KEY"] not in answer.text
    assert "Traceback" not in answer.text


def test_nonsense_and_slowness_end_inside_the_deadline(healthy: Cli) -> None:
    models = {"MPC_MODEL_SCRIPT": "mock/garbage", "MPC_MODEL_METADATA": "mock/slow"}
    with service(healthy, MPC_REQUEST_TIMEOUT="5", **models) as client:
        client.post("/generate/thumbnail-prompt", json=BODIES["thumbnail-prompt"])
        nonsense = client.post("/generate/script", json=BODIES["script"])
        slow = client.post("/generate/metadata", json=BODIES["metadata"])
    assert nonsense.json()["error"]["code"] in {"GENERATION_FAILED", "GATEWAY_TIMEOUT"}
    assert slow.json()["error"]["code"] == "GATEWAY_TIMEOUT"


def test_a_stream_comes_in_parts_through_edge_and_gateway(healthy: Cli) -> None:
    # asked for the first time: what is kept already comes as one result
    wanted = BODIES["script"] | {"topic": "Geysers"}
    answer = healthy.post("/generate/script?stream=true", wanted)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.count("event: delta") > 10
    result = json.loads(answer.text.rpartition("data: ")[2])
    plain = healthy.post("/generate/script", wanted).json()
    assert result["data"]["sections"] == plain["data"]["sections"]


def test_a_batch_keeps_its_order(healthy: Cli) -> None:
    requests = [{"kind": kind, "request": BODIES[kind]} for kind in BODIES] * 3
    requests.insert(2, {"kind": "script", "request": {"topic": ""}})
    results = healthy.post("/generate/batch", {"requests": requests}).json()["data"]["results"]
    assert [one["kind"] for one in results] == [one["kind"] for one in requests]
    assert [index for index, one in enumerate(results) if not one["success"]] == [2]


def test_the_command_line_streams_and_writes_files(healthy: Cli) -> None:
    done = healthy.run("generate", "script", "Volcanoes", "--duration", "30", "--stream", "-o", "script.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("title: ")
    data = json.loads((healthy.directory / "script.json").read_text(encoding="utf-8"))
    assert f"sections.0.narration: {data['sections'][0]['narration']}" in done.stdout
    assert f"{data['wordCount']} words" in done.stdout
    lines = healthy.run("generate", "metadata", "Volcanoes", "--stream", "--json").stdout.splitlines()
    assert {json.loads(line)["event"] for line in lines[:-1]} == {"delta"}
    assert json.loads(lines[-1])["data"]["title"]


def test_the_command_line_sends_a_file_of_requests(healthy: Cli) -> None:
    lines = [json.dumps({"kind": kind, **BODIES[kind]}) for kind in BODIES] * 34
    (healthy.directory / "requests.jsonl").write_text("\n".join(lines), encoding="utf-8")
    done = healthy.run("generate", "batch", "requests.jsonl", "-o", "results.jsonl")
    assert done.returncode == 0, done.stderr
    results = (healthy.directory / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["index"] for line in results] == list(range(102))

    (healthy.directory / "requests.jsonl").write_text(f'{lines[0]}\n{{"kind": "script", "topic": ""}}\n')
    error = healthy.fails("generate", "batch", "requests.jsonl", exit_code=1)
    assert error["details"] == {"failed": [1]}
    assert "VALIDATION_ERROR" in error["message"]
