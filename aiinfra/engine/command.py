"""The docker command itself, for what only looks.

The import of python-on-whales alone takes longer than such a command as a whole, and it has no timeouts.
"""

import subprocess
from collections.abc import Sequence

from aiinfra.engine.refusals import no_docker, refusal
from aiinfra.errors import AiinfraError, Code

# Seconds. Looking at a running engine takes milliseconds, so a silence of this length is a hang.
TIMEOUT = 10.0


def look(*arguments: str, tolerate: str = "") -> str:
    """Return what `docker ARGUMENTS` printed; raises AiinfraError unless `tolerate` is in its complaint."""
    done = run(["docker", *arguments])
    if done.returncode != 0 and not (tolerate and tolerate in done.stderr):
        raise refusal(done.stderr)
    return done.stdout


def run(
    command: Sequence[str], *, text: str = "", timeout: float = TIMEOUT, merge: bool = False
) -> subprocess.CompletedProcess[str]:
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
    except FileNotFoundError as error:
        raise no_docker() from error
    except subprocess.TimeoutExpired as error:
        raise AiinfraError(
            Code.DOCKER_STOPPED,
            f"the Docker engine did not answer within {timeout:.0f} seconds",
            hint="restart it: `sudo systemctl restart docker`, or Docker Desktop",
        ) from error
