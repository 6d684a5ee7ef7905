"""Make sure that a Docker engine with Compose and buildx answers here: `python3 tools/engine.py`.

Uses the engine that is there. Otherwise, as root on Debian or Ubuntu, installs one from the distribution's own
packages and starts it. Anywhere else it says what to do and ends with status 1.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import daemon
import docker_packages
from decision import DISTRIBUTIONS, GUIDE, Action, Facts, decide
from steps import CommandError, StopError, Version, dotted, main, run, say, step, version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOCK = Path("/run/aiinfra-engine.lock")
ANSWER_SECONDS = 20.0


def look() -> Facts:
    """What this machine has, in about 0.1 s."""
    with ThreadPoolExecutor() as pool:
        engine = pool.submit(ask, "docker", "version", "--format", "{{.Server.Version}}")
        compose = pool.submit(ask, "docker", "compose", "version", "--short")
        buildx = pool.submit(ask, "docker", "buildx", "version")
        number, refusal = engine.result()
        return Facts(
            engine=number,
            refusal=refusal,
            compose=compose.result()[0],
            buildx=buildx.result()[0],
            dockerd=None if number else ask("dockerd", "--version")[0],
            host=os.environ.get("DOCKER_HOST", ""),
            distribution=distribution(),
            root=os.geteuid() == 0,
        )


def ask(*argv: str) -> tuple[Version | None, str]:
    """The version that a program prints, or None and its complaint."""
    try:
        return version(run(*argv, seconds=ANSWER_SECONDS)), ""
    except CommandError as error:
        return None, error.output


def distribution() -> str:
    """The one of DISTRIBUTIONS that this system is or derives from, "" for others."""
    release = Path("/etc/os-release")
    if not (release.exists() and shutil.which("apt-get")):
        return ""
    fields = dict(line.split("=", 1) for line in release.read_text().splitlines() if "=" in line)
    family = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split()
    return next((name for name in family if name in DISTRIBUTIONS), "")


def make_ready(facts: Facts) -> Facts:
    """Install and start until an engine answers; StopError when that is not possible."""
    tried: set[Action] = set()
    while (decision := decide(facts)).action is not Action.READY:
        if decision.action is Action.STOP:
            raise StopError(decision.why, decision.hint)
        if decision.action in tried:
            raise StopError(f"still not ready: {facts}", facts.refusal.strip() or GUIDE)
        tried.add(decision.action)
        if decision.action is Action.INSTALL:
            docker_packages.install(docker_packages.DISTRIBUTIONS[facts.distribution], engine=decision.engine)
        else:
            with step("started dockerd"):
                daemon.start(lambda: look().engine is not None)
        facts = look()
    return facts


@contextmanager
def alone() -> Iterator[None]:
    """Let one run at a time change this machine; a second one waits."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def engine(arguments: Sequence[str]) -> None:
    """Run the tool."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    began = time.monotonic()
    facts = look()
    if decide(facts).action in (Action.INSTALL, Action.START):
        with alone():
            facts = make_ready(look())
    facts = make_ready(facts)
    words = f"engine {dotted(facts.engine)}, compose {dotted(facts.compose)}, buildx {dotted(facts.buildx)}"
    say(f"{words}: ready in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    sys.exit(main(engine))
