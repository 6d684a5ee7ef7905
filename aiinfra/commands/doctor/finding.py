"""What a check sees, and what it says."""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from aiinfra.engine import Container, Engine, Versions
from aiinfra.errors import AiinfraError
from aiinfra.target import Target, target_of

Level = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that a check says. `fix` is the next thing to do; "" where nothing is to be done."""

    check: str
    level: Level
    text: str
    fix: str = ""


class NothingToLookAtError(Exception):
    """What a check is about is not there; another check says why."""


@dataclass
class Scene:
    """What checks look at, each thing looked up once. `name` is the stack asked for, the settings' when None."""

    directory: Path
    name: str | None
    engine: Engine

    def prepare(self) -> None:
        """Look everything up, before several checks do at once."""
        for look in ("target", "versions", "info", "containers"):
            try:
                getattr(self, look)
            except (AiinfraError, NothingToLookAtError):
                continue

    @cached_property
    def _target(self) -> Target | AiinfraError:
        try:
            return target_of(self.directory, self.name)
        except AiinfraError as error:
            return error

    @property
    def target(self) -> Target:
        """The stack; raises what is wrong with its settings to the first who asks, and is silent to the others."""
        if isinstance(self._target, AiinfraError):
            raise NothingToLookAtError
        return self._target

    @property
    def target_fault(self) -> AiinfraError | None:
        return self._target if isinstance(self._target, AiinfraError) else None

    @cached_property
    def _versions(self) -> Versions | AiinfraError:
        try:
            return self.engine.versions()
        except AiinfraError as error:
            return error

    @property
    def versions(self) -> Versions:
        if isinstance(self._versions, AiinfraError):
            raise NothingToLookAtError
        return self._versions

    @property
    def engine_fault(self) -> AiinfraError | None:
        return self._versions if isinstance(self._versions, AiinfraError) else None

    @cached_property
    def info(self) -> dict[str, Any]:
        """What `docker info` says."""
        self.versions  # noqa: B018 - no engine, no info
        found: dict[str, Any] = json.loads(self.engine.info())
        return found

    @cached_property
    def containers(self) -> list[Container]:
        self.versions  # noqa: B018
        return self.engine.containers(self.target.name)

    @property
    def local(self) -> bool:
        """Whether the engine is on this machine, so that what we see of the machine is what it sees."""
        host = os.environ.get("DOCKER_HOST", "")
        return (not host or host.startswith("unix://")) and Path(self.info.get("DockerRootDir", "/nowhere")).exists()
