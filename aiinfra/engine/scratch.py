"""Containers that are thrown away at once: to ask a program of an image about a file, before it is used."""

import secrets
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from aiinfra.engine.command import look, run
from aiinfra.naming import SCRATCH_LABEL, STACK_LABEL

_TIMEOUT = 60.0
_JUDGE = "judge"


def judge(
    image: str, command: Sequence[str], *, folder: Path, mounted: str, user: str, labels: Mapping[str, str]
) -> str:
    """Run a command of an image on a folder, without a network; return what it complained about, "" if nothing.

    `labels` mark the container, so that what an interrupted command leaves is found. The stack's lock is held.
    Raises TimeoutError.
    """
    marks = [f"--label={name}={value}" for name, value in {**labels, SCRATCH_LABEL: _JUDGE}.items()]
    walls = ["--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=256m"]
    # The option is a line of CSV: a path may have commas and quotes.
    source = f"source={folder}".replace('"', '""')
    mount = f'--mount=type=bind,"{source}",target={mounted},readonly'
    options = ["--rm", "--pull=never", "--user", user, *walls, *marks, mount, "--entrypoint", command[0]]
    done = run(["docker", "run", *options, image, *command[1:]], timeout=_TIMEOUT, merge=True)
    return "" if done.returncode == 0 else done.stdout.strip() or f"exit code {done.returncode}"


def abandon(stack: str) -> None:
    """Remove what a killed command left of its `judge`, the stack's lock held: nobody else is in the middle of one."""
    marks = [f"label={STACK_LABEL}={stack}", f"label={SCRATCH_LABEL}={_JUDGE}"]
    ids = look("ps", "-aq", *(f"--filter={mark}" for mark in marks)).split()
    if ids:
        with suppress(TimeoutError):
            run(["docker", "rm", "--force", *ids])


def ask(
    image: str, program: str, *, text: str, environment: Mapping[str, str], labels: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a Python program of ours in an image, without a network; `text` is its standard input.

    `environment` is seen in the process list: nothing secret. The container is gone afterwards, whatever happens.
    Raises TimeoutError after `seconds`.
    """
    name = f"aiinfra-scratch-{secrets.token_hex(6)}"
    marks = [f"--label={key}={value}" for key, value in {**labels, SCRATCH_LABEL: "true"}.items()]
    walls = ["--network=none", "--read-only", "--tmpfs=/tmp:mode=1777,size=64m", "--cap-drop=ALL"]
    limits = ["--security-opt=no-new-privileges", "--memory=1g", "--pids-limit=256", "--user=65532:65532"]
    variables = [f"--env={key}={value}" for key, value in environment.items()]
    options = ["--rm", "-i", "--init", "--pull=never", f"--name={name}", *walls, *limits, *marks, *variables]
    try:
        return run(["docker", "run", *options, "--entrypoint=python", image, "-c", program], text=text, timeout=seconds)
    except BaseException:
        run(["docker", "rm", "--force", name])
        raise


def resolves(image: str, host: str, labels: Mapping[str, str]) -> str:
    """Ask for a name in a container; returns what is wrong with that, "" if nothing. Raises TimeoutError."""
    marks = [f"--label={name}={value}" for name, value in {**labels, SCRATCH_LABEL: "names"}.items()]
    options = ["--rm", "--pull=never", "--read-only", "--cap-drop=ALL", *marks, "--entrypoint=getent"]
    done = run(["docker", "run", *options, image, "hosts", host], timeout=_TIMEOUT, merge=True)
    return "" if done.returncode == 0 else done.stdout.strip() or "no answer"
