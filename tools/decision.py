"""What a machine needs before Docker answers: facts in, a decision out; touches nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from steps import Version, at_least, dotted

ENGINE: Version = (25, 0)
COMPOSE: Version = (2, 30)
BUILDX: Version = (0, 12)
NEEDED = f"Docker Engine {dotted(ENGINE)}, Compose {dotted(COMPOSE)} and buildx {dotted(BUILDX)}, or newer"
GUIDE = "install or upgrade Docker as https://docs.docker.com/engine/install/ says, then run this again"
DISTRIBUTIONS = ("debian", "ubuntu")
LOCAL_HOSTS = ("", "unix:///var/run/docker.sock", "unix:///run/docker.sock")


class Action(Enum):
    """What to do next."""

    READY = "ready"
    START = "start"
    INSTALL = "install"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is seen on a machine. A version is None where nothing answers or nothing is installed.

    `refusal` is what the Docker client complains of, `host` is DOCKER_HOST, `distribution` is one of DISTRIBUTIONS
    or "".
    """

    engine: Version | None = None
    refusal: str = ""
    compose: Version | None = None
    buildx: Version | None = None
    dockerd: Version | None = None
    host: str = ""
    distribution: str = ""
    root: bool = False

    @property
    def plugins(self) -> bool:
        """Whether Compose and buildx are there and new enough."""
        return at_least(self.compose, COMPOSE) and at_least(self.buildx, BUILDX)

    @property
    def installed(self) -> bool:
        """Whether everything is there and only dockerd does not run."""
        return self.plugins and at_least(self.dockerd, ENGINE)

    def __str__(self) -> str:
        """Compare what answers with what is needed, in one line."""
        there = ("engine", self.engine), ("compose", self.compose), ("buildx", self.buildx)
        return f"{', '.join(f'{name} {dotted(number)}' for name, number in there)}; needed: {NEEDED}"


@dataclass(frozen=True, slots=True)
class Decision:
    """An action; for INSTALL whether the engine is missing too, for STOP why and what the user can do."""

    action: Action
    engine: bool = False
    why: str = ""
    hint: str = GUIDE


def decide(facts: Facts) -> Decision:
    """What a machine with these facts needs next."""
    if at_least(facts.engine, ENGINE) and facts.plugins:
        return Decision(Action.READY)
    if obstacle := engine_obstacle(facts) or machine_obstacle(facts):
        return obstacle
    if facts.installed:
        return Decision(Action.START)
    return Decision(Action.INSTALL, engine=facts.engine is None and not at_least(facts.dockerd, ENGINE))


def engine_obstacle(facts: Facts) -> Decision | None:
    """Why the engine that is there, or should be, cannot be used and must not be replaced."""
    if facts.engine is not None:
        if facts.engine >= ENGINE:
            return None
        return Decision(Action.STOP, why=f"the Docker engine that answers is too old: {facts}")
    if "permission denied" in facts.refusal.lower():
        hint = "run this as root, or join the group that owns the socket: sudo usermod -aG docker $USER"
        return Decision(Action.STOP, why="an engine is there, but you may not use its socket", hint=hint)
    if facts.host not in LOCAL_HOSTS:
        hint = "start that engine, or unset DOCKER_HOST to use one on this machine"
        return Decision(Action.STOP, why=f"no engine answers at DOCKER_HOST={facts.host}", hint=hint)
    return None


def machine_obstacle(facts: Facts) -> Decision | None:
    """Why nothing can be installed or started on this machine."""
    if facts.installed:
        hint = "run this as root, or: sudo systemctl start docker"
        return None if facts.root else Decision(Action.STOP, why="Docker is installed but not running", hint=hint)
    if facts.distribution not in DISTRIBUTIONS:
        return Decision(Action.STOP, why=f"Docker can be installed from here on Debian and Ubuntu only: {facts}")
    if not facts.root:
        return Decision(Action.STOP, why=f"installing Docker takes root: {facts}", hint=f"run this as root, or {GUIDE}")
    return None
