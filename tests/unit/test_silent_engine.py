"""An engine that is away, and one that takes connections and never answers."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiinfra.state import State
from aiinfra.workspace import Workspace
from tests.conftest import FIXED_IDENTITY, OWN_ENVIRONMENT, write_keys

# Those that look, and one that would change something.
VERBS = (["ps"], ["health"], ["logs", "-f"], ["exec", "redis", "true"], ["health", "--watch"], ["down"])


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    """A stack directory whose stack was started once."""
    write_keys(tmp_path)
    space = Workspace(tmp_path, "ai-infra")
    space.prepare()
    space.save(State(FIXED_IDENTITY))
    return tmp_path


@contextlib.contextmanager
def mute(path: Path) -> Iterator[str]:
    """A socket that takes every connection and never says a word."""
    taken: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield f"unix://{path}"
        listener.shutdown(socket.SHUT_RDWR)
    for one in taken:
        one.close()


def answers(directory: Path, host: str) -> dict[str, tuple[int, str, str]]:
    """Run all verbs at the same time: each waits as long as it takes to call an engine hung."""
    started = {
        " ".join(verb): subprocess.Popen(
            [sys.executable, "-m", "aiinfra", "--json", *verb],
            cwd=directory,
            env={**OWN_ENVIRONMENT, "DOCKER_HOST": host},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for verb in VERBS
    }
    found = {}
    for name, process in started.items():
        out, err = process.communicate(timeout=300)
        error = json.loads(out)["error"]
        found[name] = (process.returncode, error["code"], err)
        assert error["hint"]
    return found


def test_a_hung_engine_is_told_by_every_verb(directory: Path, tmp_path: Path) -> None:
    with mute(tmp_path / "mute.sock") as host:
        found = answers(directory, host)
    assert found == {" ".join(verb): (4, "DOCKER_STOPPED", "") for verb in VERBS}


def test_a_stopped_engine_is_told_by_every_verb(directory: Path) -> None:
    found = answers(directory, "unix:///nowhere/docker.sock")
    assert found == {" ".join(verb): (4, "DOCKER_STOPPED", "") for verb in VERBS}


def test_version_still_tells_ours(directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aiinfra", "version", "--json"],
        cwd=directory,
        env={**OWN_ENVIRONMENT, "DOCKER_HOST": "unix:///nowhere/docker.sock"},
        capture_output=True,
        text=True,
        check=False,
    )
    data = json.loads(done.stdout)["data"]
    assert (done.returncode, bool(data["aiinfra"]), data["engine"]) == (0, True, None)
    assert data["silent"]
