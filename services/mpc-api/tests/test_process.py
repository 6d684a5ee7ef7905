import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.service import API_KEY, GATEWAY_KEY, ROOT, Service, environment, running
from tests.upstream import Reply, Upstream


def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_drain_says_so_takes_nothing_new_finishes_what_runs_and_exits_0(upstream: Upstream) -> None:
    upstream.replies.append(Reply(delay=1.5))
    with running(LITELLM_URL=upstream.url) as service, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(service.post, "/generate/script", {"topic": "x"})
        until(lambda: upstream.seen)
        service.process.terminate()
        until(lambda: service.events("draining"))

        assert service.client.get("/health/live").json()["error"]["details"] == {"draining": True}
        health = service.client.get("/health")
        assert (health.status_code, health.json()["draining"]) == (503, True)
        refused = service.post("/generate/script", {"topic": "x"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["error"]["code"] == "SERVICE_UNAVAILABLE"

        assert slow.result().status_code == 200
        assert service.wait() == 0
    assert len(upstream.seen) == 1
    assert service.events("stopped")


def test_a_drain_lets_a_stream_end(upstream: Upstream) -> None:
    upstream.replies.append(Reply(delay=1.5))
    with running(LITELLM_URL=upstream.url) as service, ThreadPoolExecutor(1) as pool:
        stream = pool.submit(service.post, "/generate/script?stream=true", {"topic": "x"})
        until(lambda: upstream.seen)
        service.process.terminate()
        until(lambda: service.events("draining"))
        assert "event: result" in stream.result().text
        assert service.wait() == 0


def test_an_idle_service_stops_at_once(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url) as service:
        service.client.get("/health")
        # stop() itself waits far shorter than a drain would
        assert service.stop() == 0


def test_a_stop_during_the_imports_is_obeyed() -> None:
    process = subprocess.Popen([sys.executable, "-m", "mpc_api"], cwd=ROOT, env=environment())
    stat = Path(f"/proc/{process.pid}/status")
    # SigCgt is the mask of caught signals; SIGTERM is the 15th.
    until(lambda: int(re.findall(r"SigCgt:\s+(\w+)", stat.read_text())[0], 16) >> 14 & 1)
    process.terminate()
    assert process.wait(60) == 0


def probe(service: Service, path: str) -> int:
    port = service.url.rpartition(":")[2]
    command = [sys.executable, "-I", "-S", str(ROOT / "mpc_api" / "probe.py"), path]
    return subprocess.run(command, env=environment(PORT=port), timeout=60, check=False).returncode


def test_the_containers_own_probe(service: Service) -> None:
    assert probe(service, "/health") == 0
    assert probe(service, "/nope") == 1
    with running(LITELLM_URL="http://127.0.0.1:1") as lonely:
        assert probe(lonely, "/health/live") == 0
        assert probe(lonely, "/health") == 1
    assert probe(lonely, "/health/live") == 1


def test_a_second_signal_does_not_wait(upstream: Upstream) -> None:
    upstream.replies.append(Reply(delay=60))
    with running(LITELLM_URL=upstream.url) as service, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(service.post, "/generate/script", {"topic": "x"})
        until(lambda: upstream.seen)
        service.process.terminate()
        until(lambda: service.events("draining"))
        service.stop()
        assert slow.exception() is not None or slow.result().status_code >= 500


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"MPC_API_KEY": ""}, "MPC_API_KEY"),
        ({"LITELLM_MASTER_KEY": ""}, "LITELLM_MASTER_KEY"),
        ({"LITELLM_MASTER_KEY": "sk secret"}, "LITELLM_MASTER_KEY"),
        ({"LITELLM_URL": "edge:4000"}, "LITELLM_URL"),
        ({"MPC_REQUEST_TIMEOUT": "soon"}, "MPC_REQUEST_TIMEOUT"),
        ({"MPC_REQUEST_TIMEOUT": "nan"}, "MPC_REQUEST_TIMEOUT"),
        ({"MPC_REQUEST_TIMEOUT": "0"}, "MPC_REQUEST_TIMEOUT"),
        ({"MPC_BATCH_CONCURRENCY": "0"}, "MPC_BATCH_CONCURRENCY"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"PORT": "70000"}, "PORT"),
        ({"REDIS_URL": "redis://:passw0rd@redis:6379/0"}, "REDIS_URL"),
        ({"MPC_CACHE_SECONDS": "an hour"}, "MPC_CACHE_SECONDS"),
        ({"MPC_CORS_ORIGINS": "*"}, "MPC_CORS_ORIGINS"),
        ({"MPC_MAX_IN_FLIGHT": "0"}, "MPC_MAX_IN_FLIGHT"),
        ({"MPC_REQUESTS_PER_MINUTE": "-1"}, "MPC_REQUESTS_PER_MINUTE"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
        ({"MPC_KEYS": "{"}, "MPC_KEYS"),
        ({"MPC_KEYS": '[{"name": "a"}]'}, "MPC_KEYS"),
        ({"MPC_KEYS": '[{"name": "a", "variable": "A_KEY"}]'}, "A_KEY"),
        ({"MPC_KEYS": '[{"name": "main", "variable": "A_KEY"}]', "A_KEY": "a"}, "MPC_KEYS"),
        ({"MPC_KEYS": '[{"name": "a", "variable": "A_KEY", "scopes": ["all"]}]', "A_KEY": "a"}, "MPC_KEYS"),
        ({"MPC_KEYS": '[{"name": "a", "variable": "MPC_API_KEY"}]'}, "MPC_KEYS"),
    ],
)
def test_wrong_settings_are_named_and_nothing_is_started(variables: dict[str, str], name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mpc_api"],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert re.fullmatch(rf'\{{.*"event":"settings_invalid","reason":"{name}.*\}}\n', done.stdout)
    assert "sk secret" not in done.stdout
    assert "passw0rd" not in done.stdout


def test_secret_files_go_before_variables_byte_for_byte(tmp_path: Path, upstream: Upstream) -> None:
    (tmp_path / "MPC_API_KEY").write_bytes(b"from a file \xc3\xa9")
    (tmp_path / "LITELLM_MASTER_KEY").write_bytes(b"sk-$from'a\"file")
    with running(LITELLM_URL=upstream.url, MPC_SECRETS_DIR=str(tmp_path)) as service:
        headers = {"Authorization": "Bearer from a file é"}
        assert service.post("/generate/script", {"topic": "x"}, headers=headers).status_code == 200
        assert service.post("/generate/script", {"topic": "x"}).status_code == 401
    assert upstream.seen[-1].headers["authorization"] == "Bearer sk-$from'a\"file"


def test_the_models_are_settings(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url, MPC_MODEL_THUMBNAIL="painter") as service:
        service.post("/generate/thumbnail-prompt", {"title": "x"})
    assert upstream.seen[-1].body["model"] == "painter"


def test_one_line_per_request_with_no_secret_and_no_prompt(service: Service, upstream: Upstream) -> None:
    upstream.replies.append(Reply(text="a private answer"))
    answer = service.post(
        "/generate/script?token=query", {"topic": "a private topic"}, headers={"X-Request-ID": "one-line"}
    )
    refused = service.post("/generate/script", {"topic": 7, "private": 1})
    fine = service.logged("one-line")
    invalid = service.logged(refused.headers["x-request-id"])
    assert fine.pop("milliseconds") > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", fine.pop("time"))
    assert fine == {
        "level": "info",
        "event": "request",
        "requestId": "one-line",
        "method": "POST",
        "endpoint": "/generate/script",
        "status": 200,
        "key": "main",
        "model": "test/mpc-script",
        "provider": "test",
        "promptTokens": 200,
        "completionTokens": 40,
        "cached": False,
    }
    assert answer.headers["x-request-id"] == "one-line"
    assert (invalid["status"], invalid["code"]) == (422, "VALIDATION_ERROR")
    for private in (API_KEY, GATEWAY_KEY, "private", "query"):
        assert private not in service.raw_logs


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb", "é", 'a"b'])
def test_an_unusable_request_id_is_replaced(service: Service, given: str) -> None:
    headers = [(b"X-Request-ID", given.encode())]
    made = service.client.get("/health/live", headers=headers).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_probes_are_not_logged_at_info(service: Service) -> None:
    begun = len(service.logs)
    service.client.get("/health")
    service.client.get("/nope")
    until(lambda: len(service.logs) > begun)
    assert [line["endpoint"] for line in service.logs[begun:]] == ["/nope"]


def test_the_process_stays_small(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url) as service:
        assert service.client.get("/health").status_code == 200
        for _ in range(20):
            service.post("/generate/script", {"topic": "x"})
        status = Path(f"/proc/{service.process.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak
    assert int(peak[1]) < 120 * 1024
