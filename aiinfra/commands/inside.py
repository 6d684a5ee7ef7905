"""`exec` and `shell`: a command in a running container."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from aiinfra.engine import Container, Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.target import Target

# Not every image has bash.
SHELL = ("sh", "-c", "command -v bash >/dev/null && exec bash || exec sh")


@dataclass(frozen=True)
class ExecResult:
    service: str
    container: str
    exit_code: int
    stdout: str
    stderr: str


def become(target: Target, service: str, command: Sequence[str], *, engine: Engine, terminal: bool) -> NoReturn:
    """Turn this process into `command` in the service's container: streams, signals and exit code are its own."""
    engine.become(_container(target, service, engine), command, terminal=terminal)


def capture(target: Target, service: str, command: Sequence[str], *, engine: Engine, text: str) -> ExecResult:
    """Run `command` to its end with `text` as its standard input, and return what it wrote."""
    container = _container(target, service, engine)
    done = engine.execute(container, command, text=text, timeout=None)
    return ExecResult(service, container.name, done.returncode, done.stdout, done.stderr)


def _container(target: Target, service: str, engine: Engine) -> Container:
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers)
    found = next((one for one in containers if one.service == service and one.running), None)
    if found is None:
        raise AiinfraError(
            Code.NOT_RUNNING,
            f"no container of {service} runs in the stack '{target.name}'",
            hint="start it: `aiinfra up`",
        )
    return found
