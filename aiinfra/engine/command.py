"""The docker command itself, for what only looks.

The import of python-on-whales alone takes longer than such a command as a whole, and it has no timeouts.
"""

import os
import subprocess
from collections import deque
from collections.abc import Iterator, Sequence
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
        raise hung(timeout) from error
    if done.returncode != 0 and not (tolerate and tolerate in done.stderr):
        raise refusal(done.stderr)
    return done.stdout


def hung(seconds: float) -> AiinfraError:
    return AiinfraError(
        Code.DOCKER_STOPPED,
        f"the Docker engine did not answer within {seconds:.0f} seconds",
        hint="restart it: `sudo systemctl restart docker`, or Docker Desktop",
    )


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


class Stream:
    """What a command writes, both outputs, line by line as bytes; one thread reads, any may close it."""

    def __init__(self, command: Sequence[str]) -> None:
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except (FileNotFoundError, PermissionError) as error:
            raise no_docker() from error
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        """Raises AiinfraError when the command fails by itself, with its last lines as the reason."""
        last: deque[bytes] = deque(maxlen=2)
        with cast("IO[bytes]", self._process.stdout) as lines:
            for line in lines:
                last.append(line.rstrip(b"\r\n"))
                yield last[-1]
        if self._process.wait() != 0 and not self._closed:
            raise refusal(b"\n".join(last).decode("utf-8", "replace"))

    def close(self) -> None:
        """End the command."""
        self._closed = True
        self._process.terminate()
