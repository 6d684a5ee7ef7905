"""Docker: containers, images, builds and Compose. What changes something goes through python-on-whales."""

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from aiinfra.engine import looks
from aiinfra.engine.command import TIMEOUT, become, look, run
from aiinfra.engine.container import Container, Exit, Stats, Volume
from aiinfra.engine.watch import CHANGE, translated
from aiinfra.errors import AiinfraError, Code
from aiinfra.naming import STACK_LABEL

if TYPE_CHECKING:
    from python_on_whales import DockerClient

    from aiinfra.engine.conversation import Conversation
    from aiinfra.engine.estate import Estate
    from aiinfra.engine.rollout import Rollout
    from aiinfra.engine.versions import Versions
    from aiinfra.images import ImageBuild

# What only some commands need is imported where it is used: a command that looks is over in a tenth of a second.

# Seconds: what is replaced is stopped first, and may have an hour to end.
_REPLACING = 3600 + CHANGE


class Engine:
    """The engine that `docker` talks to, whatever its context or DOCKER_HOST says.

    With `told`, everything goes through docker commands, which a user sees; the edge is asked through one of them.
    """

    def __init__(self, *, told: bool = False) -> None:
        self._told = told
        self._conversations: dict[str, Conversation] = {}
        # An inherited COMPOSE_* variable can rename the project or remove what is not ours.
        for name in [name for name in os.environ if name.startswith("COMPOSE_")]:
            del os.environ[name]
        # Compose takes the current directory for a URL, and fails on a "%" in it. All our paths are absolute.
        os.chdir("/")

    def require(self, *, building: bool = True) -> None:
        """Raise AiinfraError (exit 4) unless an engine and Compose that are new enough answer; buildx to build."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        from aiinfra.engine.versions import refuse_old, versions  # noqa: PLC0415

        with ThreadPoolExecutor(max_workers=1) as pool:
            asked = pool.submit(versions, building=building)
            # Asking is waiting, and a change needs this next.
            import_module("python_on_whales")
            refuse_old(asked.result())

    def info(self) -> str:
        """Return what the engine says of itself, as JSON."""
        return look("info", "--format", "json")

    def inspect(self, containers: Sequence[Container]) -> str:
        """Return all that the engine knows of containers, as JSON."""
        ids = [one.id for one in containers]
        return look("inspect", "--type", "container", *ids, tolerate="No such container") if ids else "[]"

    def containers(self, project: str) -> list[Container]:
        """Return all containers of a Compose project, stopped ones too."""
        return looks.containers(project, told=self._told)

    def image_id(self, name: str) -> str:
        """Return an image's id; "" where it is not here."""
        return look("image", "inspect", "--format", "{{.Id}}", name, tolerate="No such image").strip()

    def image_ids(self, names: Sequence[str]) -> dict[str, str]:
        """Return the ids of images by name; "" for one that is not here."""
        return looks.image_ids(names, told=self._told)

    def volumes(self, stack: str) -> list[Volume]:
        """Return the volumes that carry a stack's label."""
        names = look("volume", "ls", "-q", "--filter", f"label={STACK_LABEL}={stack}").split()
        found = json.loads(look("volume", "inspect", *names, tolerate="no such volume") or "[]") if names else []
        return [Volume(one["Name"], one["Labels"] or {}) for one in found]

    def ensure_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a volume; one that is there keeps its labels and its data."""
        look("volume", "create", *(f"--label={key}={value}" for key, value in labels.items()), name)

    def container_on_port(self, port: int) -> str:
        """Return the name of a running container that publishes this host port; "" if there is none."""
        return look("ps", "--filter", f"publish={port}", "--format", "{{.Names}}").strip()

    def logs_of(self, container: Container, lines: int) -> list[str]:
        """Return the last lines that a container wrote, both streams."""
        with suppress(TimeoutError):
            return run(["docker", "logs", "--tail", str(lines), container.id], merge=True).stdout.splitlines()[-lines:]
        return []

    def last_exit(self, container: Container) -> Exit:
        """Return how a container ended last, also when it was restarted since; from the engine's events."""
        from aiinfra.engine.exits import last_exit  # noqa: PLC0415 - only when something is wrong

        return last_exit(container)

    def execute(
        self, container: Container, command: Sequence[str], *, text: str = "", timeout: float | None = TIMEOUT
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a container; `text` is its standard input. Never raises for its exit code."""
        return run(["docker", "exec", "-i", container.id, *command], text=text, timeout=timeout)

    def ask(self, container: Container, host: str, port: int, text: str, *, seconds: float, beyond: float) -> str:
        """Send text from a container to an address, and return what came back until the other side closed.

        Raises OSError when there is no answer within `seconds`, TimeoutError when Docker is silent `beyond` that.
        """
        from aiinfra.engine.conversation import Conversation  # noqa: PLC0415 - only for the edge

        talk = self._conversations.setdefault(container.id, Conversation(container.id))
        return talk.ask(host, port, text, seconds=seconds, beyond=beyond)

    def become(self, container: Container, command: Sequence[str], *, terminal: bool) -> NoReturn:
        """Turn this process into a command in a container, with our streams, and our terminal if there is one."""
        options = ["-i", *(["-t", "-e", "TERM"] if terminal else [])]
        become(["docker", "exec", *options, container.id, *command])

    def stats(self, containers: Iterable[Container]) -> dict[str, Stats]:
        """Return what running containers use, by id; the engine takes two seconds to measure."""
        ids = [one.id for one in containers]
        if not ids:
            return {}
        command = ("stats", "--no-stream", "--no-trunc", "--format", "{{json .}}")
        lines = look(*command, *ids, tolerate="No such container").splitlines()
        found = [json.loads(line) for line in lines]
        return {
            one["ID"]: Stats(one["CPUPerc"], one["MemUsage"], float(one["MemPerc"].rstrip("%")), int(one["PIDs"]))
            for one in found
            if one["PIDs"].isdigit()
        }

    def versions(self) -> "Versions":
        """Return what answers. Raises AiinfraError (exit 4) when Docker is missing, stopped, denied or hung."""
        from aiinfra.engine.versions import versions  # noqa: PLC0415

        return versions()

    def pull(self, image: str) -> None:
        """Pull an image. Raises AiinfraError (BASE_IMAGE_MISSING) with the reason and the two ways out."""
        try:
            with translated():
                self._client.image.pull(image, quiet=True)
        except AiinfraError as error:
            if error.code is not Code.DOCKER_REFUSED:
                raise
            raise AiinfraError(
                Code.BASE_IMAGE_MISSING,
                f"the base image {image} cannot be pulled: {error.message}",
                hint="what is here can be used: leave out --pull"
                if self.image_id(image)
                else f"load it (`docker load`), or name another one in aiinfra.yaml: "
                f'build: {{base_images: {{"{image}": OTHER}}}}',
                details={"image": image},
            ) from error

    def tag(self, image: str, name: str) -> None:
        """Give an image, by name or id, one more name."""
        look("image", "tag", image, name)

    def build(
        self,
        build: "ImageBuild",
        secrets: Mapping[str, bytes],
        labels: Mapping[str, str],
        *,
        folder: Path,
        cached: bool = True,
    ) -> Iterator[str]:
        """Build and tag an image, yielding the build's log line by line.

        `secrets` are handed over as files in `folder` that never are part of an image; `cached` allows what earlier
        builds left.
        Raises AiinfraError (BUILD_FAILED) with the failing step's last lines. No line has credentials of `secrets`.
        """
        from aiinfra.engine import build_log  # noqa: PLC0415
        from aiinfra.engine.build_secrets import as_options  # noqa: PLC0415

        hidden = build_log.credentials(secrets.values())
        lines: list[str] = []
        with (
            as_options(secrets, folder) as options,
            translated(Code.BUILD_FAILED, lambda: "\n".join(build_log.failure(lines))),
        ):
            log = self._client.buildx.build(
                build.context,
                build_args=dict(build.arguments),
                labels=dict(labels),
                secrets=options,
                tags=build.tag,
                cache=cached,
                load=True,
                progress="plain",
                provenance=False,
                stream_logs=True,
            )
            for line in cast("Iterator[str]", log):
                lines.append(build_log.redacted(line.rstrip(), hidden))
                yield lines[-1]

    def create(self, compose: "Compose", services: Sequence[str], *, force: bool = False) -> None:
        """Create networks, volumes and containers; starts nothing.

        Replaces containers that differ; with `force` also those that do not. What services depend on is left alone.
        """
        with translated(limit=_REPLACING):
            compose.client.compose.up(
                list(services),
                dependencies=False,
                start=False,
                force_recreate=force,
                no_build=True,
                pull="never",
                quiet=True,
            )

    def start(self, containers: Iterable[Container]) -> None:
        ids = [container.id for container in containers]
        if ids:
            with translated(limit=CHANGE):
                self._client.container.start(ids)

    def remove(self, containers: Iterable[Container]) -> None:
        """Remove containers, running or not, and the nameless volumes that their images ask for."""
        ids = [container.id for container in containers]
        if ids:
            with translated(limit=CHANGE):
                self._client.container.remove(ids, force=True, volumes=True)

    def halt(self, container: Container) -> None:
        """Stop one container; it gets its own grace period."""
        with translated():
            self._client.container.stop(container.id)

    def stop(self, project: str, *, timeout: int | None) -> None:
        """Stop a project's containers, dependants first; Compose finds them by their labels, so no file is needed."""
        with translated():
            _compose_client(project).compose.stop(timeout=timeout)

    def remove_volumes(self, names: Sequence[str]) -> None:
        if names:
            with translated():
                self._client.volume.remove(list(names))

    @cached_property
    def estate(self) -> "Estate":
        """What we made on this engine, of all stacks."""
        from aiinfra.engine.estate import Estate  # noqa: PLC0415

        return Estate()

    @cached_property
    def rollout(self) -> "Rollout":
        """What a swap asks of this engine."""
        from aiinfra.engine.rollout import Rollout  # noqa: PLC0415

        return Rollout(told=self._told)

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
