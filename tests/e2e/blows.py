"""How a running stack is hurt, and how it is looked at meanwhile."""

import contextlib
import json
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.load import Load
from tests.conftest import REPOSITORY
from tests.e2e.conftest import Cli, docker
from tests.private_engine import until

LONG = 300


def names(cli: Cli, service: str = "") -> list[str]:
    filters = [f"--filter=label=org.aiinfra.stack={cli.stack}"]
    filters += [f"--filter=label=com.docker.compose.service={service}"] if service else []
    return sorted(docker("ps", "-a", "--format", "{{.Names}}", *filters).split())


def ids(cli: Cli) -> set[str]:
    return {row["id"] for row in cli.ok("ps", "--all")["containers"]}


def heals(cli: Cli) -> None:
    done = cli.run("health", "--wait", "--timeout", "300")
    assert (done.returncode, len(names(cli))) == (0, 5), done.stdout + done.stderr


def told(cli: Cli, service: str) -> dict[str, Any]:
    """Return what `health` says of a service that is not healthy; {} when it is."""
    done = cli.run("health", "--json")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    rows = {row["service"]: row for row in json.loads(done.stdout)["data"]["services"]}
    return {} if rows[service]["status"] == "healthy" else {**rows[service], "exit_code": done.returncode}


def process_of(name: str) -> psutil.Process | None:
    """Return a container's main process, as this machine sees it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if number := int(docker("inspect", "--format", "{{.State.Pid}}", name)):
            return psutil.Process(number)
    return None


def kill_9(name: str) -> None:
    """Not `docker kill`: what a user ends, the engine does not start again."""
    if process := process_of(name):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def freeze(name: str) -> list[psutil.Process]:
    """Stop everything in a container once it runs; the engine goes on to call it running."""
    until(lambda: process_of(name) is not None, f"{name} runs")
    main = process_of(name)
    assert main is not None
    main.suspend()
    stopped = [main, *main.children(recursive=True)]
    for process in stopped[1:]:
        process.suspend()
    return stopped


@contextlib.contextmanager
def frozen(name: str, *, for_good: bool = False) -> Iterator[None]:
    """Freeze a container as `docker pause` does; `for_good` says that it is gone in the end."""
    docker("pause", name)
    try:
        yield
    finally:
        if not for_good:
            docker("unpause", name)


def candidate(cli: Cli, before: list[str]) -> str:
    until(lambda: len(set(names(cli)) - set(before)) == 1, "a new container is there")
    return next(iter(set(names(cli)) - set(before)))


def loaded(cli: Cli) -> Load:
    keys = cli.keys()
    places = cli.url("litellm"), cli.url("mpc-api")
    return Load(cli.stack, *places, keys["LITELLM_MASTER_KEY"], keys["MPC_API_KEY"], clients=2, pause=0.5)


@contextlib.contextmanager
def connected_to_redis(password: str, container: str) -> Iterator[Callable[[str], str]]:
    """Open a connection; what it gives sends one command and returns the text of its answer, "" at the end."""
    address = docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container)
    with socket.create_connection((address.strip(), 6379), LONG) as connection, connection.makefile("rb") as answers:

        def ask(command: str) -> str:
            connection.sendall(f"{command}\r\n".encode())
            line = answers.readline().decode().strip()
            return answers.readline().decode().strip() if line.startswith("$") and line != "$-1" else line

        assert ask(f"AUTH {password}") == "+OK"
        yield ask


def answers_in_a_row(url: str) -> bool:
    try:
        return all(httpx.get(f"{url}/health/live", timeout=5).status_code == 200 for _ in range(6))
    except httpx.TransportError:
        return False


def gets_requests(name: str, url: str) -> bool:
    mark = f"nothing-{uuid.uuid4().hex}"
    for _ in range(4):
        httpx.get(f"{url}/generate/{mark}", timeout=60)
    return mark in docker("logs", "--tail", "200", name)


class JumpingClock:
    """A wall clock of its own for processes with `environment`."""

    def __init__(self, folder: Path) -> None:
        self._file, library = folder / "off", folder / "clock.so"
        self.jump(0)
        source = REPOSITORY / "services" / "mpc-api" / "tests" / "jumping_clock.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
        self.environment = {"LD_PRELOAD": str(library), "JUMPING_CLOCK": str(self._file)}

    def jump(self, days: int) -> None:
        """Set it so many days off, for what runs too."""
        new = self._file.with_suffix(".new")
        new.write_text(str(days * 86400), encoding="ascii")
        new.replace(self._file)
