"""Docker's failures, in our words."""

import os
import re

from aiinfra.errors import AiinfraError, Code

_CAUSES: tuple[tuple[str, Code, str, str], ...] = (
    (
        r"permission denied.*(docker\.sock|daemon)",
        Code.DOCKER_DENIED,
        "this user may not talk to the Docker engine",
        "add the user to the group: `sudo usermod -aG docker $USER`, log in again, and retry",
    ),
    (
        r"(cannot|failed to) connect to the docker (daemon|api)|is the docker daemon running|error during connect",
        Code.DOCKER_STOPPED,
        "no Docker engine answers",
        "start it: `sudo systemctl start docker`, or Docker Desktop",
    ),
    (
        r"no space left on device",
        Code.DISK_FULL,
        "no space is left on the disk of the Docker engine",
        "free some (`docker system df` shows what is used), and run the same command again",
    ),
    (
        r"non-overlapping IPv4 address pool|address pools have been fully sub",
        Code.DOCKER_REFUSED,
        "Docker has no address range left for a new network",
        "remove networks nobody uses (`docker network prune`), or set `default-address-pools` in Docker's daemon.json",
    ),
    (
        r"port is already allocated|address already in use|ports are not available",
        Code.PORT_TAKEN,
        "a host port that the stack needs was taken meanwhile",
        "stop what uses it, or set `ports:` in aiinfra.yaml",
    ),
)


def refusal(stderr: str, fallback: Code = Code.DOCKER_REFUSED, log: str = "") -> AiinfraError:
    """Return the error for what Docker wrote; `fallback` where no known cause is in it, with the end of `log`."""
    for pattern, code, message, hint in _CAUSES:
        if re.search(pattern, stderr, re.IGNORECASE):
            host = os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT")
            elsewhere = f"DOCKER_HOST or DOCKER_CONTEXT says {host}: is that right? If so, start the engine there"
            fix = elsewhere if code is Code.DOCKER_STOPPED and host else hint
            return AiinfraError(code, message, hint=fix, details={"docker": _tail(stderr)})
    if fallback is Code.BUILD_FAILED:
        return AiinfraError(fallback, f"the build failed\n{log}", hint="what ran before still runs")
    return AiinfraError(fallback, f"Docker refused: {_tail(stderr)}", hint="see whether `docker info` answers")


def _tail(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return " ".join(lines[-2:]) or "it gave no reason"


def no_docker() -> AiinfraError:
    return AiinfraError(
        Code.DOCKER_MISSING,
        "there is no `docker` command on this machine",
        hint="install Docker with its Compose plugin: https://docs.docker.com/engine/install/",
    )
