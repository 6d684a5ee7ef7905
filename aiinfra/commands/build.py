"""Every image that a stack needs, here and built: base images pulled, our own built when their content changed."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

from aiinfra.engine import Engine
from aiinfra.images import build_secrets
from aiinfra.loading import Loaded
from aiinfra.rendering import LABEL
from aiinfra.reporting import Event, Report

# BuildKit's plain progress: "#12 [build 3/4] RUN ..." opens a step; "[internal]" ones are its own business.
_STEP = re.compile(r"#\d+ (\[(?!internal).*? \d+/\d+\] .*)")


def ensure_images(loaded: Loaded, *, engine: Engine, report: Report) -> tuple[str, ...]:
    """Pull and build what is missing; returns the tags that were built."""
    absent = _absent(engine, [*loaded.stack_images, *(build.tag for build in loaded.builds)])
    builds = [build for build in loaded.builds if build.tag in absent]
    bases = dict.fromkeys((*loaded.stack_images, *(base for build in builds for base in build.bases)))
    for image in _absent(engine, list(bases)):
        report(Event("begin", image, "pulling"))
        engine.pull(image)
        report(Event("done", image, "pulled"))
    secrets = build_secrets(loaded.stack.settings.build, loaded.target.directory)
    for build in builds:
        start = time.monotonic()
        report(Event("begin", build.tag, "building"))
        for line in engine.build(build, secrets, {f"{LABEL}service": build.service}):
            if step := _STEP.fullmatch(line):
                report(Event("detail", build.tag, " ".join(step[1].split())))
        report(Event("done", build.tag, "built", time.monotonic() - start))
    return tuple(build.tag for build in builds)


def _absent(engine: Engine, tags: list[str]) -> list[str]:
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(engine.has_image, tags))
    return [tag for tag, there in zip(tags, found, strict=True) if not there]
