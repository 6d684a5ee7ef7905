"""Every image that a stack needs: base images pulled, our own built when their content changed."""

import re
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.images import ImageBuild, build_secrets
from aiinfra.loading import Loaded
from aiinfra.naming import LABEL
from aiinfra.reporting import Event, Report
from aiinfra.stack import BUILT

# BuildKit's plain progress: "#12 [build 3/4] RUN ..." opens a step; "[internal]" ones are its own business.
_STEP = re.compile(r"#\d+ (\[(?!internal).*? \d+/\d+\] .*)")


@dataclass(frozen=True)
class ImageWishes:
    """What a command asks for: services to build even when their image is there, base images to pull anew.

    `cached` says whether a build may use what earlier ones left, `allowed` whether there may be a build at all.
    """

    build: Sequence[str] = ()
    pull: bool = False
    cached: bool = True
    allowed: bool = True


@dataclass(frozen=True)
class ImageWork:
    """What is to be done: base images to pull, our own to build, and the secrets of their builds.

    `ids` are the ids of the images that services ran until now, by name. `folder` is where the next command looks for
    what this one left.
    """

    pulls: tuple[str, ...]
    builds: tuple[ImageBuild, ...]
    secrets: Mapping[str, bytes]
    ids: Mapping[str, str]
    folder: Path
    cached: bool = True


def image_work(
    loaded: Loaded, wishes: ImageWishes, *, touched: Container[str], ids: Mapping[str, str], engine: Engine
) -> ImageWork:
    """Return what the `touched` services miss, and what is wished for, touching nothing.

    `ids` are the ids of the images that services run, by name; "" for a missing one.

    Raises AiinfraError: SETTINGS_INVALID for a bad CA bundle, IMAGE_MISSING where a build is needed and not allowed.
    """
    missing = [service for service, image in loaded.service_images.items() if service in touched and not ids[image]]
    builds = tuple(build for build in loaded.builds if build.service in (*missing, *wishes.build))
    if builds and not wishes.allowed:
        raise AiinfraError(
            Code.IMAGE_MISSING,
            f"{', '.join(build.tag for build in builds)}: not here, and --no-build forbids to build",
            hint="leave out --no-build; nothing was touched",
            details={"images": [build.tag for build in builds]},
        )
    bases = [base for build in builds for base in build.bases]
    if wishes.pull:
        pulls = [*loaded.stack_images, *bases]
    else:
        known = [loaded.service_images[service] for service in missing if service not in BUILT]
        pulls = [*known, *_absent(engine, bases)]
    secrets = build_secrets(loaded.stack.settings.build, loaded.target.directory) if builds else {}
    return ImageWork(tuple(dict.fromkeys(pulls)), builds, secrets, ids, loaded.target.workspace.root, wishes.cached)


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
        for line in engine.build(build, work.secrets, labels, folder=work.folder, cached=work.cached):
            if step := _STEP.fullmatch(line):
                report(Event("detail", build.tag, " ".join(step[1].split())))
        keep_previous(work.ids[build.tag], build.tag, engine, now=engine.image_id(build.tag))
        report(Event("done", build.tag, "built", time.monotonic() - start))


def keep_previous(image_id: str, tag: str, engine: Engine, *, now: str) -> None:
    """Name an image that loses its name to `now`: a nameless one would be gone with the next `docker image prune`."""
    if image_id and now != image_id:
        engine.tag(image_id, f"{tag}-{image_id.removeprefix('sha256:')[:12]}")


def _absent(engine: Engine, tags: Iterable[str]) -> list[str]:
    names = list(dict.fromkeys(tags))
    return [name for name, found in engine.image_ids(names).items() if not found] if names else []
