"""Docker: containers, images, builds and Compose, and its failures in our words.

What changes something goes through python-on-whales. What only looks goes to the docker command itself: the
import of python-on-whales alone takes longer than such a command as a whole, and it has no timeouts.
"""

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aiinfra.errors import AiinfraError, Code
from aiinfra.images import ImageBuild

if TYPE_CHECKING:
    from python_on_whales import DockerClient

MINIMUM = {"engine": (25, 0), "Compose": (2, 30), "buildx": (0, 8)}

# Seconds. Looking at a running engine takes milliseconds, so a silence of this length is a hang.
_LOOK_TIMEOUT = 10.0

_PROJECT = "com.docker.compose.project"


@dataclass(frozen=True)
class Container:
    """One container as the engine describes it. Times are UTC; `health` is "" without a health check."""

    id: str
    name: str
    service: str
    image: str
    state: str
    health: str
    exit_code: int
    out_of_memory: bool
    restarts: int
    started: datetime | None
    labels: Mapping[str, str]
    ports: Mapping[int, int]
    last_check: str

    @property
    def running(self) -> bool:
        return self.state == "running"


@dataclass(frozen=True)
class Exit:
    code: int
    out_of_memory: bool


@dataclass(frozen=True)
class Versions:
    engine: str
    compose: str
    buildx: str


class Engine:
    """The engine that `docker` talks to, whatever its context or DOCKER_HOST says."""

    def __init__(self) -> None:
        # An inherited COMPOSE_* variable can rename the project or remove what is not ours.
        for name in [name for name in os.environ if name.startswith("COMPOSE_")]:
            del os.environ[name]

    def versions(self) -> Versions:
        """Return what answers. Raises AiinfraError (exit 4) when Docker is missing, stopped, denied or hung."""
        with ThreadPoolExecutor() as pool:
            engine = pool.submit(_look, "version", "--format", "{{.Server.Version}}")
            compose = pool.submit(_look, "compose", "version", "--short")
            buildx = pool.submit(_look, "buildx", "version")
            found = engine.result().strip()
            return Versions(found, _plugin(compose.result, "Compose"), _plugin(buildx.result, "buildx"))

    def require(self) -> Versions:
        """Return the versions; raises AiinfraError (DOCKER_TOO_OLD) for one below the minimum."""
        versions = self.versions()
        found = {"engine": versions.engine, "Compose": versions.compose, "buildx": versions.buildx}
        for name, minimum in MINIMUM.items():
            if _numbers(found[name]) < minimum:
                raise AiinfraError(
                    Code.DOCKER_TOO_OLD,
                    f"{_thing(name)} is {found[name]}, at least {minimum[0]}.{minimum[1]} is needed",
                    hint="update Docker: https://docs.docker.com/engine/install/",
                    details={"found": found[name], "minimum": f"{minimum[0]}.{minimum[1]}"},
                )
        return versions

    def containers(self, project: str) -> list[Container]:
        """Return all containers of a Compose project, stopped ones too."""
        ids = _look("ps", "-aq", "--no-trunc", "--filter", f"label={_PROJECT}={project}").split()
        if not ids:
            return []
        found = json.loads(_look("inspect", "--type", "container", *ids, tolerate="No such container") or "[]")
        return [_container(item) for item in found]

    def has_image(self, tag: str) -> bool:
        return bool(_look("images", "-q", tag).strip())

    def volumes(self, label: str) -> list[str]:
        return _look("volume", "ls", "-q", "--filter", f"label={label}").split()

    def container_on_port(self, port: int) -> str:
        """Return the name of a running container that publishes this host port; "" if there is none."""
        return _look("ps", "--filter", f"publish={port}", "--format", "{{.Names}}").strip()

    def logs_of(self, container: Container, lines: int) -> list[str]:
        """Return the last lines that a container wrote, both streams."""
        done = _run(["docker", "logs", "--tail", str(lines), container.id], merge=True)
        return done.stdout.splitlines()[-lines:]

    def last_exit(self, container: Container) -> Exit:
        """Return how a container ended last, also when it was restarted since; from the engine's events."""
        since = "0" if container.started is None else str(int(container.started.timestamp()) - 3600)
        wanted = ["--filter", f"container={container.id}", "--filter", "event=die", "--filter", "event=oom"]
        text = _look("events", "--since", since, "--until", f"{time.time():.0f}", *wanted, "--format", "{{json .}}")
        events = [json.loads(line) for line in text.splitlines()]
        codes = [int(one["Actor"]["Attributes"]["exitCode"]) for one in events if one["Action"] == "die"]
        out_of_memory = any(one["Action"] == "oom" for one in events)
        return Exit(codes[-1] if codes else container.exit_code, out_of_memory or container.out_of_memory)

    def execute(
        self, container: Container, command: Sequence[str], *, text: str = "", timeout: float = _LOOK_TIMEOUT
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a container; `text` is its standard input. Never raises for its exit code."""
        return _run(["docker", "exec", "-i", container.id, *command], text=text, timeout=timeout)

    def pull(self, image: str) -> None:
        """Pull an image. Raises AiinfraError (BASE_IMAGE_MISSING) with the reason and the two ways out."""
        try:
            with _translated():
                self._client.image.pull(image, quiet=True)
        except AiinfraError as error:
            if error.code is not Code.DOCKER_REFUSED:
                raise
            raise AiinfraError(
                Code.BASE_IMAGE_MISSING,
                f"the base image {image} is not here and cannot be pulled: {error.message}",
                hint=f"load it (`docker load`), or name another one in aiinfra.yaml: "
                f'build: {{base_images: {{"{image}": OTHER}}}}',
                details={"image": image},
            ) from error

    def build(self, build: ImageBuild, secrets: Mapping[str, bytes], labels: Mapping[str, str]) -> Iterator[str]:
        """Build and tag an image, yielding the build's log line by line.

        `secrets` are handed over as files that never are part of an image.
        Raises AiinfraError (BUILD_FAILED) with the failing step's last lines.
        """
        last: list[str] = []
        with _as_files(secrets) as files, _translated(Code.BUILD_FAILED, lambda: "\n".join(last[-15:])):
            log = self._client.buildx.build(
                build.context,
                build_args=dict(build.arguments),
                labels=dict(labels),
                secrets=[f"id={name},src={path}" for name, path in files.items()],
                tags=build.tag,
                load=True,
                progress="plain",
                provenance=False,
                stream_logs=True,
            )
            for line in cast("Iterator[str]", log):
                last.append(line.rstrip())
                yield last[-1]

    def create(self, compose: "Compose", services: Sequence[str]) -> None:
        """Create networks, volumes and containers, replacing containers that differ; starts nothing."""
        with _translated():
            compose.client.compose.create(list(services), no_build=True, pull="never")

    def start(self, containers: Iterable[Container]) -> None:
        ids = [container.id for container in containers]
        if ids:
            with _translated():
                self._client.container.start(ids)

    def remove(self, containers: Iterable[Container]) -> None:
        ids = [container.id for container in containers]
        if ids:
            with _translated():
                self._client.container.remove(ids, force=True)

    def down(self, project: str, *, timeout: int | None) -> None:
        """Remove a project's containers and networks; Compose finds them by their labels, so no file is needed."""
        with _translated():
            _compose_client(project).compose.down(timeout=timeout, quiet=True)

    def remove_volumes(self, names: Sequence[str]) -> None:
        if names:
            with _translated():
                self._client.volume.remove(list(names))

    def logs(self, compose: "Compose", services: Sequence[str], *, follow: bool, tail: str) -> Iterator[str]:
        """Yield log lines as Compose prints them: `SERVICE-N  | text`."""
        with _translated():
            stream = compose.client.compose.logs(list(services), tail=tail, follow=follow, stream=True)
            for _, line in stream:
                yield line.decode(errors="replace").rstrip("\r\n")

    @cached_property
    def _client(self) -> "DockerClient":
        from python_on_whales import DockerClient  # noqa: PLC0415 - 0.2 s

        return DockerClient()


@dataclass(frozen=True)
class Compose:
    """A Compose project: its name and its rendered file."""

    project: str
    file: Path

    @cached_property
    def client(self) -> "DockerClient":
        return _compose_client(
            self.project,
            compose_files=[self.file],
            compose_project_directory=self.file.parent,
            compose_env_files=["/dev/null"],
        )


def _compose_client(project: str, **options: Any) -> "DockerClient":  # noqa: ANN401
    from python_on_whales import DockerClient  # noqa: PLC0415 - 0.2 s

    return DockerClient(compose_project_name=project, **options)


def _look(*arguments: str, tolerate: str = "") -> str:
    done = _run(["docker", *arguments])
    if done.returncode != 0 and not (tolerate and tolerate in done.stderr):
        raise _refusal(done.stderr)
    return done.stdout


def _run(
    command: Sequence[str], *, text: str = "", timeout: float = _LOOK_TIMEOUT, merge: bool = False
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise _no_docker() from error
    except subprocess.TimeoutExpired as error:
        raise AiinfraError(
            Code.DOCKER_STOPPED,
            f"the Docker engine did not answer within {timeout:.0f} seconds",
            hint="restart it: `sudo systemctl restart docker`, or Docker Desktop",
        ) from error


def _no_docker() -> AiinfraError:
    return AiinfraError(
        Code.DOCKER_MISSING,
        "there is no `docker` command on this machine",
        hint="install Docker with its Compose plugin: https://docs.docker.com/engine/install/",
    )


@contextmanager
def _translated(fallback: Code = Code.DOCKER_REFUSED, log: Any = None) -> Iterator[None]:  # noqa: ANN401
    from python_on_whales.client_config import ClientNotFoundError  # noqa: PLC0415 - loaded by then
    from python_on_whales.exceptions import DockerException  # noqa: PLC0415

    try:
        yield
    except (ClientNotFoundError, FileNotFoundError) as error:
        raise _no_docker() from error
    except DockerException as error:
        raise _refusal(error.stderr or "", fallback, log() if log else "") from error


_CAUSES: tuple[tuple[re.Pattern[str], Code, str, str], ...] = (
    (
        re.compile(r"permission denied.*(docker\.sock|daemon)", re.IGNORECASE),
        Code.DOCKER_DENIED,
        "this user may not talk to the Docker engine",
        "add the user to the group: `sudo usermod -aG docker $USER`, log in again, and retry",
    ),
    (
        re.compile(
            r"cannot connect to the docker daemon|is the docker daemon running|error during connect"
            r"|failed to connect to the docker api",
            re.IGNORECASE,
        ),
        Code.DOCKER_STOPPED,
        "no Docker engine answers",
        "start it: `sudo systemctl start docker`, or Docker Desktop",
    ),
    (
        re.compile(r"no space left on device", re.IGNORECASE),
        Code.DISK_FULL,
        "no space is left on the disk of the Docker engine",
        "free some (`docker system df` shows what is used), and run the same command again",
    ),
    (
        re.compile(r"port is already allocated|address already in use|ports are not available", re.IGNORECASE),
        Code.PORT_TAKEN,
        "a host port that the stack needs was taken meanwhile",
        "stop what uses it, or set `ports:` in aiinfra.yaml",
    ),
)


def _refusal(stderr: str, fallback: Code = Code.DOCKER_REFUSED, log: str = "") -> AiinfraError:
    for pattern, code, message, hint in _CAUSES:
        if pattern.search(stderr):
            return AiinfraError(code, message, hint=hint, details={"docker": _tail(stderr)})
    if fallback is Code.BUILD_FAILED:
        return AiinfraError(fallback, f"the build failed\n{log}", hint="what ran before still runs")
    return AiinfraError(fallback, f"Docker refused: {_tail(stderr)}", hint="`aiinfra ps` shows what runs")


def _tail(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return " ".join(lines[-2:]) or "it gave no reason"


def _plugin(result: Any, name: str) -> str:  # noqa: ANN401
    try:
        return str(result()).strip()
    except AiinfraError as error:
        if error.code is not Code.DOCKER_REFUSED:
            raise
        raise AiinfraError(
            Code.DOCKER_TOO_OLD,
            f"{_thing(name)} is not installed",
            hint=f"install it (package docker-{name.lower()}-plugin): https://docs.docker.com/engine/install/",
            details={"missing": name},
        ) from error


def _thing(name: str) -> str:
    return "the Docker engine" if name == "engine" else f"Docker's {name} plugin"


def _numbers(version: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _container(item: Mapping[str, Any]) -> Container:
    state, labels = item["State"], item["Config"]["Labels"] or {}
    health = state.get("Health") or {}
    checks = health.get("Log") or []
    bindings = item["NetworkSettings"].get("Ports") or item["HostConfig"].get("PortBindings") or {}
    started = state["StartedAt"]
    return Container(
        id=item["Id"],
        name=item["Name"].lstrip("/"),
        service=labels.get("com.docker.compose.service", ""),
        image=item["Config"]["Image"],
        state=state["Status"],
        health=health.get("Status", ""),
        exit_code=state["ExitCode"],
        out_of_memory=state["OOMKilled"],
        restarts=item["RestartCount"],
        started=None if started.startswith("0001") else datetime.fromisoformat(started[:19] + "+00:00"),
        labels=labels,
        ports={int(inner.split("/")[0]): int(outer[0]["HostPort"]) for inner, outer in bindings.items() if outer},
        last_check=checks[-1]["Output"].strip() if checks else "",
    )


@contextmanager
def _as_files(secrets: Mapping[str, bytes]) -> Iterator[dict[str, Path]]:
    with ExitStack() as stack:
        if not secrets:
            yield {}
            return
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aiinfra-build-")))
        files = {name: folder / name for name in secrets}
        for name, path in files.items():
            path.write_bytes(secrets[name])
            path.chmod(0o600)
        yield files
