"""Which engine, Compose and buildx answer, and whether they are new enough."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiinfra.engine.command import look
from aiinfra.errors import AiinfraError, Code

MINIMUM = {"engine": (25, 0), "Compose": (2, 30), "buildx": (0, 12)}


@dataclass(frozen=True)
class Versions:
    """Versions as they are printed; `buildx` is "" where nobody asked."""

    engine: str
    compose: str
    buildx: str


def refuse_old(versions: Versions) -> None:
    """Raise AiinfraError (DOCKER_TOO_OLD) for the first version below its minimum."""
    found = {"engine": versions.engine, "Compose": versions.compose, "buildx": versions.buildx}
    for name, minimum in MINIMUM.items():
        if (name != "buildx" or found[name]) and _numbers(found[name]) < minimum:
            raise AiinfraError(
                Code.DOCKER_TOO_OLD,
                f"{_thing(name)} is {found[name]}, at least {minimum[0]}.{minimum[1]} is needed",
                hint="update Docker: https://docs.docker.com/engine/install/",
                details={"found": found[name], "minimum": f"{minimum[0]}.{minimum[1]}"},
            )


def versions(*, building: bool = True) -> Versions:
    """Return what answers; buildx, the slowest of them, is asked where something is built.

    Raises AiinfraError (exit 4) when Docker is missing, stopped, denied or hung.
    """
    with ThreadPoolExecutor() as pool:
        engine = pool.submit(look, "version", "--format", "{{.Server.Version}}")
        compose = pool.submit(look, "compose", "version", "--short")
        buildx = pool.submit(look, "buildx", "version") if building else None
        found = engine.result().strip()
        return Versions(found, _plugin(compose.result, "Compose"), _plugin(buildx.result, "buildx") if buildx else "")


def _plugin(result: Callable[[], str], name: str) -> str:
    try:
        return result().strip()
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
