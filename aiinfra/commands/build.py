"""Every image that a stack needs: base images pulled, our own built when their content changed."""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiinfra.engine import Engine
from aiinfra.images import ImageBuild, build_secrets
from aiinfra.loading import Loaded
from aiinfra.rendering import LABEL
from aiinfra.reporting import Event, Report

# BuildKit's plain progress: "#12 [build 3/4] RUN ..." opens a step; "[internal]" ones are its own business.
_STEP = re.compile(r"#\d+ (\[(?!internal).*? \d+/\d+\] .*)")


@dataclass(frozen=True)
class ImageWork:
    """What is missing: base images to pull, our own to build, and the secrets of their builds.

    `ids` are the ids of the images that services run, by name; "" for a missing one.
    """

    pulls: tuple[str, ...]
    builds: tuple[ImageBuild, ...]
    secrets: Mapping[str, bytes]
    ids: Mapping[str, str]


def missing_images(loaded: Loaded, *, engine: Engine) -> ImageWork:
    """Return what is missing, touching nothing. Raises AiinfraError (SETTINGS_INVALID) for a bad CA bundle."""
    ids = engine.image_ids(list(dict.fromkeys(loaded.service_images.values())))
    builds = tuple(build for build in loaded.builds if not ids[build.tag])
    bases = _absent(engine, (base for build in builds for base in build.bases))
    pulls = dict.fromkeys((*(image for image in loaded.stack_images if not ids[image]), *bases))
    secrets = build_secrets(loaded.stack.settings.build, loaded.target.directory) if builds else {}
    return ImageWork(tuple(pulls), builds, secrets, ids)


def make_images(work: ImageWork, *, engine: Engine, report: Report) -> None:
    """Pull and build. Raises AiinfraError: BASE_IMAGE_MISSING or BUILD_FAILED."""
    for image in work.pulls:
        report(Event("begin", image, "pulling"))
        engine.pull(image)
        report(Event("done", image, "pulled"))
    for build in work.builds:
        start = time.monotonic()
        report(Event("begin", build.tag, "building"))
        labels = {f"{LABEL}service": build.service, "org.opencontainers.image.version": build.version}
        for line in engine.build(build, work.secrets, labels):
            if step := _STEP.fullmatch(line):
                report(Event("detail", build.tag, " ".join(step[1].split())))
        report(Event("done", build.tag, "built", time.monotonic() - start))


def _absent(engine: Engine, tags: Iterable[str]) -> list[str]:
    names = list(dict.fromkeys(tags))
    return [name for name, found in engine.image_ids(names).items() if not found] if names else []
