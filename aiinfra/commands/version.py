"""`version`: ours, the engine's, and what the stack's containers are made of."""

import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from aiinfra import __version__
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError
from aiinfra.stack import SERVICES
from aiinfra.target import Target

T = TypeVar("T")


@dataclass(frozen=True)
class ImageVersion:
    """What one service runs; `version` is "" where its image does not say."""

    service: str
    image: str
    version: str
    id: str


@dataclass(frozen=True)
class VersionResult:
    """`engine`, `compose` and `buildx` are None when there is none; `silent` then says why."""

    aiinfra: str
    python: str
    engine: str | None
    compose: str | None
    buildx: str | None
    images: tuple[ImageVersion, ...]
    silent: str


def version(target: Target, *, engine: Engine) -> VersionResult:
    """Return every version; without an engine, ours and the reason why there are no others."""
    with ThreadPoolExecutor() as pool:
        programs = pool.submit(_tried, engine.versions)
        containers = pool.submit(_tried, lambda: _images(target, engine))
        (found, fault), (images, image_fault) = programs.result(), containers.result()
    return VersionResult(
        aiinfra=__version__,
        python=platform.python_version(),
        engine=found.engine if found else None,
        compose=found.compose if found else None,
        # "github.com/docker/buildx v0.29.1 abcdef0"
        buildx=found.buildx.split()[1] if found else None,
        images=images or (),
        silent=fault or image_fault,
    )


def _tried(look: Callable[[], T]) -> tuple[T | None, str]:
    try:
        return look(), ""
    except AiinfraError as error:
        return None, error.message


def _images(target: Target, engine: Engine) -> tuple[ImageVersion, ...]:
    rows = {
        (one.service, one.image, one.image_version, one.image_id)
        for one in engine.containers(target.name)
        if one.service in SERVICES
    }
    return tuple(ImageVersion(*row) for row in sorted(rows, key=lambda row: SERVICES.index(row[0])))
