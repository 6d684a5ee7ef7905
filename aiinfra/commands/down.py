"""`down`: stop and remove a stack's containers and networks; its data only when asked."""

from dataclasses import dataclass

from aiinfra.engine import Engine
from aiinfra.loading import Target
from aiinfra.reporting import Event, Report


@dataclass(frozen=True)
class DownResult:
    stack: str
    removed: tuple[str, ...]
    volumes_removed: tuple[str, ...]


def volumes_of(target: Target, *, engine: Engine) -> list[str]:
    """Return the names of the volumes that `down --volumes` removes. Raises STACK_ELSEWHERE for another's."""
    found = engine.volumes(target.name)
    target.refuse_elsewhere(found)
    return [volume.name for volume in found]


def down(target: Target, *, engine: Engine, report: Report, volumes: bool, timeout: int | None) -> DownResult:
    """Remove containers and networks, and volumes where asked. Fine when nothing runs.

    `timeout` is how many seconds a container gets to stop; its own grace period when None.
    """
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers)
    doomed = volumes_of(target, engine=engine) if volumes else []
    if containers or doomed or target.workspace.state():
        with target.workspace.lock("down", wait=0, on_wait=lambda _: None):
            for container in containers:
                report(Event("begin", container.service, "stopping"))
            engine.down(target.name, timeout=timeout)
            engine.remove_volumes(doomed)
    return DownResult(target.name, tuple(sorted(one.name for one in containers)), tuple(doomed))
