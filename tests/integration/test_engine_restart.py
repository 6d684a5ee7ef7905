"""What `logs --follow` and `health --watch` say when the engine goes away under them, and that they go on after."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiinfra.state import State
from aiinfra.workspace import Workspace
from tests.conftest import FIXED_IDENTITY, OWN_ENVIRONMENT, write_keys
from tests.private_engine import PrivateEngine

pytestmark = pytest.mark.engine

TICKING = "while true; do echo tick; sleep 0.2; done"


@pytest.fixture(name="stack")
def _stack(private_engine: PrivateEngine, tmp_path: Path) -> Iterator[Path]:
    """A directory whose stack has one container, which writes a line five times a second."""
    write_keys(tmp_path)
    space = Workspace(tmp_path, "ai-infra")
    space.prepare()
    space.save(State(FIXED_IDENTITY))
    private_engine.load("redis:8.0")
    labels = {
        "com.docker.compose.project": "ai-infra",
        "com.docker.compose.service": "redis",
        "org.aiinfra.stack": "ai-infra",
        "org.aiinfra.directory": str(tmp_path),
    }
    words = [f"--label={name}={value}" for name, value in labels.items()]
    options = ["--name=ai-infra-redis-1", "--restart=always", "--stop-signal=KILL", "--entrypoint=sh", *words]
    private_engine.docker("run", "--detach", *options, "redis:8.0", "-c", TICKING)
    try:
        yield tmp_path
    finally:
        private_engine.docker("rm", "--force", "ai-infra-redis-1")


@contextlib.contextmanager
def running(directory: Path, engine: PrivateEngine, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "aiinfra", *arguments],
        cwd=directory,
        env={**OWN_ENVIRONMENT, **engine.environment, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=60)
            assert process.returncode == 0
        finally:
            process.kill()


def read_until(process: "subprocess.Popen[str]", wanted: Callable[[str], bool]) -> list[str]:
    """Return lines up to the first wanted one; the timeout of the test is its patience."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if wanted(line):
            return lines
    raise AssertionError(f"it ended: {lines}")


def test_both_say_that_the_engine_is_away_and_go_on_when_it_is_back(private_engine: PrivateEngine, stack: Path) -> None:
    with (
        running(stack, private_engine, "logs", "--follow", "--tail", "0") as logs,
        running(stack, private_engine, "health", "redis", "--watch", "--interval", "0.5", "--json") as watch,
    ):
        read_until(logs, lambda line: "tick" in line)
        read_until(watch, lambda line: json.loads(line)["status"] == "unhealthy")
        private_engine.stop()
        try:
            away = read_until(logs, lambda line: "following goes on when it is back" in line)
            told = json.loads(read_until(watch, lambda line: json.loads(line)["status"] == "unknown")[-1])
        finally:
            private_engine.start()
        assert "engine" in away[-1]
        assert told["error"]["code"] == "DOCKER_STOPPED"
        read_until(logs, lambda line: "the Docker engine answers again" in line)
        read_until(logs, lambda line: "tick" in line)
        read_until(watch, lambda line: json.loads(line)["status"] == "unhealthy")
