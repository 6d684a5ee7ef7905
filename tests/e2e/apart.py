"""Stacks on the private engine, for what is about containers, networks, volumes and images and not about answers.

Redis and the edge are the real ones. The gateway and MPC-API are stand-ins that run and never get ready: their images
are large, and to boot them takes long.
"""

import json
import shlex
import subprocess
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiinfra.engine import Engine
from aiinfra.images import image_build
from aiinfra.settings import Build
from tests.e2e.conftest import Cli, docker, new_cli
from tests.private_engine import PrivateEngine

TAGS = tuple(image_build(service, Build()).tag for service in ("litellm", "mpc-api"))


def new_stack(command: Path, directory: Path, engine: PrivateEngine) -> Cli:
    """Return a stack directory with nothing in it, whose `aiinfra` talks to the private engine."""
    engine.load("redis:8.0", "haproxy:3.0")
    if not engine.docker("image", "ls", "-q", TAGS[0]):
        container = engine.docker("create", "redis:8.0").strip()
        for tag in TAGS:
            # The gateway's grace period is two minutes.
            engine.docker("commit", "--change=STOPSIGNAL SIGKILL", container, tag)
        engine.docker("rm", "-v", container)
    one = new_cli(inside(command, engine), directory)
    one.environment.update(engine.environment)
    return one


# As much of a gateway as MPC-API's health asks for.
_GATEWAY = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "healthy"}')
ThreadingHTTPServer(("", 4000), Ready).serve_forever()
"""
# Named otherwise, so that our images get other names than the stand-ins.
_BASE = "python-of-a-swap:1"


def swapping_stack(command: Path, directory: Path, engine: PrivateEngine) -> Cli:
    """Return a healthy stack with the real MPC-API; only the gateway stands in."""
    real = image_build("mpc-api", Build())
    if not Engine().image_id(real.tag):
        deque(Engine().build(real, {}, {}, folder=directory), maxlen=0)
    named = Build(base_images={"python:3.13-slim-trixie": _BASE})
    name = image_build("mpc-api", named).tag
    # By its own name it may be a stand-in there.
    docker("tag", real.tag, name)
    engine.load(name)
    docker("rmi", name)
    container = engine.docker("create", name).strip()
    entry = json.dumps(["python", "-c", _GATEWAY])
    engine.docker("commit", f"--change=ENTRYPOINT {entry}", container, image_build("litellm", named).tag)
    engine.docker("rm", "-v", container)
    one = new_stack(command, directory, engine)
    # An engine that stops waits for the longest grace period.
    build = f'build: {{base_images: {{"python:3.13-slim-trixie": "{_BASE}"}}}}'
    one.settings(f"{build}\nservices: {{litellm: {{grace: 5}}, mpc-api: {{grace: 5}}}}\n")
    one.ok("up", "--timeout", "600", "--no-build")
    return one


def inside(command: Path, engine: PrivateEngine) -> Path:
    """Return the command that runs where the engine's containers and ports can be reached."""
    script = engine.folder / "aiinfra"
    words = shlex.join(engine.inside([str(command)]))
    script.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


def begin(cli: Cli) -> None:
    """Make everything that an `up` makes; it fails, because the stand-ins never get ready."""
    assert cli.fails("up", "--timeout", "1", exit_code=1)["code"] == "NOT_READY"


def data_of(done: "subprocess.CompletedProcess[str]") -> Any:  # noqa: ANN401 - JSON
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["data"]


@pytest.fixture
def engine(private_engine: PrivateEngine) -> Iterator[PrivateEngine]:
    """The private engine, with no container, network or volume before and after a test."""
    private_engine.clear()
    try:
        yield private_engine
    finally:
        private_engine.clear()


@pytest.fixture
def apart(command: Path, tmp_path: Path, engine: PrivateEngine) -> Cli:
    """A stack directory on the private engine; `begin(apart)` makes its containers."""
    return new_stack(command, tmp_path, engine)


@pytest.fixture
def swapping(command: Path, tmp_path: Path, engine: PrivateEngine) -> Iterator[Cli]:
    """A healthy stack on the private engine, of which MPC-API can be replaced; its images go with it."""
    before = engine.images()
    yield swapping_stack(command, tmp_path, engine)
    engine.clear()
    engine.docker("rmi", *(name for name in engine.images() - before if name.startswith("aiinfra-")))
