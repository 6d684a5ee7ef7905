"""`ls`: every stack of this engine, whatever directory it belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiinfra.engine import Container, Engine, Network, Volume
from aiinfra.errors import AiinfraError
from aiinfra.naming import DIRECTORY_LABEL, SCRATCH_LABEL, STACK_LABEL
from aiinfra.stack import EDGE, OUTSIDE, SERVICES
from aiinfra.workspace import Workspace

_WORST_FIRST = ("unhealthy", "starting", "healthy")


@dataclass(frozen=True)
class StackRow:
    """One stack. `state` is running, partly, stopped or down (only its data or networks are left).

    `health` is the worst that a container's own check says, "" when nothing runs. `directory_found` is false when the
    directory is gone, or has no such stack any more. `provider_config` is the one last applied, "" when unknown.
    """

    name: str
    directory: str
    directory_found: bool
    state: str
    health: str
    running: int
    ports: Mapping[str, int]
    provider_config: str
    volumes: tuple[str, ...]


def ls(*, engine: Engine) -> tuple[StackRow, ...]:
    """Return all stacks in order of name."""
    containers, volumes = engine.estate.containers(), engine.estate.volumes()
    found: Sequence[Container | Volume | Network] = (*containers, *volumes, *engine.estate.networks())
    rows = []
    for name in sorted({one.labels[STACK_LABEL] for one in found}):
        directories = sorted({one.labels.get(DIRECTORY_LABEL, "") for one in found if one.labels[STACK_LABEL] == name})
        own = [one for one in containers if one.labels[STACK_LABEL] == name and SCRATCH_LABEL not in one.labels]
        data = tuple(one.name for one in volumes if one.labels[STACK_LABEL] == name)
        rows.append(_row(name, _living(name, directories), own, data))
    return tuple(rows)


def _living(name: str, directories: Sequence[str]) -> str:
    """Return the directory that a stack is in; after a move, what is left of the old one names that still."""
    return next((one for one in directories if Workspace(Path(one), name).exists), directories[0])


def _row(name: str, directory: str, containers: Sequence[Container], volumes: tuple[str, ...]) -> StackRow:
    workspace = Workspace(Path(directory), name)
    running = [one for one in containers if one.running]
    healths = {one.health for one in running}
    edge = next((one for one in running if one.service == EDGE), None)
    return StackRow(
        name=name,
        directory=directory,
        directory_found=workspace.exists,
        state=_state(containers, running),
        health=next((one for one in _WORST_FIRST if one in healths), ""),
        running=len(running),
        ports={service: edge.ports[inner] for service, inner in OUTSIDE.items() if inner in edge.ports} if edge else {},
        provider_config=_provider_config(workspace),
        volumes=volumes,
    )


def _state(containers: Sequence[Container], running: Sequence[Container]) -> str:
    if not containers:
        return "down"
    if not running:
        return "stopped"
    return "running" if {one.service for one in running} >= set(SERVICES) else "partly"


def _provider_config(workspace: Workspace) -> str:
    try:
        state = workspace.state()
    except AiinfraError:
        return ""
    return str(state.applied.get("provider_config", "")) if state else ""
