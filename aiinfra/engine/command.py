"""The docker command itself, for what only looks.

The import of python-on-whales alone takes longer than such a command as a whole, and it has no timeouts.
"""

import os
import subprocess
from collections import deque
from collections.abc import Generator, Sequence
from typing import IO, NoReturn, cast

from aiinfra.engine.refusals import no_docker, refusal
from aiinfra.errors import AiinfraError, Code

# Seconds. Looking at a running engine takes milliseconds, so a silence of this length is a hang.
TIMEOUT = 10.0


def look(*arguments: str, tolerate: str = "", timeout: float = TIMEOUT) -> str:
    """Return what `docker ARGUMENTS` printed; raises AiinfraError unless `tolerate` is in its complaint."""
    try:
        done = run(["docker", *arguments], timeout=timeout)
    except TimeoutError as error:
        raise AiinfraError(
            Code.DOCKER_STOPPED,
            f"the Docker engine did not answer within {timeout:.0f} seconds",
            hint="restart it: `sudo systemctl restart docker`, or Docker Desktop",
        ) from error
    if done.returncode != 0 and not (tolerate and tolerate in done.stderr):
        raise refusal(done.stderr)
    return done.stdout


def run(
    command: Sequence[str], *, text: str = "", timeout: float | None = TIMEOUT, merge: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command; raises TimeoutError after `timeout` seconds, never when that is None."""
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
    except (FileNotFoundError, PermissionError) as error:
        raise no_docker() from error
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error


def become(command: Sequence[str]) -> NoReturn:
    """Turn this process into a command."""
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - that there is no shell is the point
    except (FileNotFoundError, PermissionError) as error:
        raise no_docker() from error


def stream(command: Sequence[str]) -> Generator[str, None, None]:
    """Yield both outputs of a command line by line as they come; closing the generator ends the command.

    Raises AiinfraError when the command fails by itself, with its last lines as the reason.
    """
    last: deque[str] = deque(maxlen=2)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in cast("IO[str]", process.stdout):
                last.append(line.rstrip("\r\n"))
                yield last[-1]
            if process.wait() != 0:
                raise refusal("\n".join(last))
        finally:
            process.terminate()
