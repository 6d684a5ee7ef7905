"""What `eject` wrote runs with plain Docker Compose."""

import subprocess
import time
from pathlib import Path

import httpx

from tests.conftest import OWN_ENVIRONMENT
from tests.e2e.conftest import Cli, docker


def compose(directory: Path, *arguments: str) -> str:
    environment = {**OWN_ENVIRONMENT, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    command = ["docker", "compose", *arguments]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answers(url: str, key: str) -> bool:
    try:
        response = httpx.post(
            f"{url}/generate/script",
            json={"topic": "Volcanoes"},
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
        )
    except httpx.HTTPError:
        return False
    return response.status_code == 200


def test_an_ejected_stack_runs_without_this_tool_with_its_replicas_keys_and_volume(cli: Cli) -> None:
    cli.settings("services: {mpc-api: {replicas: 2}}\n")
    cli.ok("eject", "out")
    out = cli.directory / "out"
    try:
        compose(out, "up", "--wait", "--wait-timeout", "300", "--quiet-pull")
        assert len(compose(out, "ps", "-q").split()) == 5
        port = compose(out, "port", "edge", "3443").strip().rsplit(":", 1)[1]
        key = (out / "mpc-api-secrets" / "MPC_API_KEY").read_text()
        # Compose says ready when its own checks do; the edge's come a moment later.
        deadline = time.monotonic() + 120
        while not answers(f"http://127.0.0.1:{port}", key):
            assert time.monotonic() < deadline, compose(out, "logs", "--tail", "20")
            time.sleep(0.5)
        assert docker("volume", "ls", "-q", "--filter", f"name={cli.stack}-redis-data").strip()
        assert cli.fails("up", exit_code=1)["code"] == "STACK_ELSEWHERE"
    finally:
        compose(out, "down", "--volumes", "--rmi", "local", "--timeout", "5")
        for name in ("litellm", "mpc-api"):
            subprocess.run(["docker", "rmi", f"{cli.stack}-{name}:ejected"], capture_output=True, check=False)
