"""What `eject` wrote runs with plain Docker Compose."""

import json
import re
import subprocess
import time
from pathlib import Path

import httpx

from tests.conftest import OWN_ENVIRONMENT, REPOSITORY
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


def test_what_the_readme_says_about_litellms_own_database_fits_an_ejected_stack(cli: Cli) -> None:
    cli.ok("eject", "out")
    out = cli.directory / "out"
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^# compose.override.yaml\n.+?(?=^```)", readme, re.MULTILINE | re.DOTALL)
    assert found
    (out / "compose.override.yaml").write_text(found[0], encoding="utf-8")
    gateway = json.loads(compose(out, "config", "--format", "json"))["services"]["litellm"]
    assert gateway["image"].startswith("litellm/litellm-database:")
    assert not {"build", "user"} & gateway.keys()
    assert gateway["environment"]["DATABASE_URL"].startswith("postgresql://")
