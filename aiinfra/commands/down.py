"""`down`: stop and remove a stack's containers and networks, or every stack's; data only when asked."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiinfra.engine import Container, Engine, Network
from aiinfra.errors import AiinfraError, Code
from aiinfra.journal import Entry, Journal
from aiinfra.naming import DIRECTORY_LABEL, SCRATCH_LABEL, STACK_LABEL
from aiinfra.reporting import Event, Report
from aiinfra.target import Target
from aiinfra.workspace import Workspace


@dataclass(frozen=True)
class DownResult:
    """`networks_kept` are those that other people's containers are on, each with their names."""

    stack: str
    removed: tuple[str, ...] = ()
    volumes_removed: tuple[str, ...] = ()
    networks_removed: tuple[str, ...] = ()
    networks_kept: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.removed or self.volumes_removed or self.networks_removed)


def volumes_of(target: Target, *, engine: Engine) -> list[str]:
    """Return the names of the volumes that `down --volumes` removes. Raises STACK_ELSEWHERE for another's."""
    found = engine.volumes(target.name)
    target.refuse_elsewhere(found)
    return [volume.name for volume in found]


def everything(*, engine: Engine, volumes: bool) -> list[str]:
    """Return what `down --all` removes, in words."""
    words = [f"container {one.name}" for one in engine.estate.containers()]
    words += [f"network {one.name}" for one in engine.estate.networks()]
    return words + ([f"volume {one.name}" for one in engine.estate.volumes()] if volumes else [])


def down(target: Target, *, engine: Engine, report: Report, volumes: bool, timeout: int | None) -> DownResult:
    """Remove containers, scratch containers and networks, and volumes where asked. Fine when nothing runs.

    `timeout` is how many seconds a container gets to stop; its own grace period when None.
    """
    target.refuse_elsewhere(engine.containers(target.name))
    doomed = volumes_of(target, engine=engine) if volumes else []
    with held(target.workspace, "down", report):
        return end(target.workspace, doomed, engine=engine, report=report, timeout=timeout)


def down_all(*, engine: Engine, report: Report, volumes: bool, timeout: int | None) -> tuple[DownResult, ...]:
    """End every stack of this engine, whatever directory it belongs to."""
    found = (*engine.estate.containers(), *engine.estate.networks(), *(engine.estate.volumes() if volumes else ()))
    names = sorted({one.labels[STACK_LABEL] for one in found})
    results = []
    for name in names:
        owners = {one.labels.get(DIRECTORY_LABEL, "") for one in found if one.labels[STACK_LABEL] == name}
        doomed = [one.name for one in engine.estate.volumes(name)] if volumes else []
        workspace = Workspace(Path(max(owners)), name)
        with held(workspace, "down --all", report):
            results.append(end(workspace, doomed, engine=engine, report=report, timeout=timeout))
    return tuple(results)


def end(
    workspace: Workspace, volumes: Sequence[str], *, engine: Engine, report: Report, timeout: int | None = None
) -> DownResult:
    """Remove a stack from the engine, its lock held: what carries its label, and its Compose project."""
    name = workspace.stack
    found = end_containers(workspace, engine=engine, report=report, timeout=timeout)
    networks = engine.estate.networks(name)
    kept = tuple((one.name, guests) for one in networks if (guests := _guests(one, found, engine)))
    for network, guests in kept:
        report(Event("warning", network, f"kept, because other containers are on it: {', '.join(guests)}"))
    removed = [one.name for one in networks if one.name not in dict(kept)]
    engine.estate.remove_networks(removed)
    engine.remove_volumes(volumes)
    names = sorted(one.name for one in found.values())
    return DownResult(name, tuple(names), tuple(volumes), tuple(sorted(removed)), kept)


def end_containers(
    workspace: Workspace, *, engine: Engine, report: Report, timeout: int | None = None
) -> dict[str, Container]:
    """Stop and remove a stack's containers, its lock held; returns what they were, by id.

    It is noted before it begins: killed in the middle, it leaves containers that still look healthy and end in a
    moment, so the next `up` has to finish this first.
    """
    name, journal = workspace.stack, Journal(workspace.journal_file)
    if workspace.exists:
        # On a full or read-only disk a stack must be able to end too.
        with suppress(AiinfraError):
            journal.write(Entry("", "ending"))
    found = {one.id: one for one in (*engine.containers(name), *engine.estate.containers(name))}
    for container in found.values():
        scratch = SCRATCH_LABEL in container.labels
        report(Event("begin", container.name if scratch else container.service, "stopping"))
    if any(SCRATCH_LABEL not in one.labels for one in found.values()):
        engine.stop(name, timeout=timeout)
    engine.remove(found.values())
    with suppress(OSError):
        journal.clear()
    return found


def _guests(network: Network, own: dict[str, Container], engine: Engine) -> tuple[str, ...]:
    """Return the names of the containers of others on a network, stopped ones too: they need it to start again."""
    found = engine.estate.on_network(network.name)
    return tuple(sorted(name for identity, name in found.items() if identity not in own))


@contextmanager
def held(workspace: Workspace, verb: str, report: Report) -> Iterator[None]:
    """Hold a stack's lock where it can be held.

    A directory that is gone or read-only holds up nothing: no other command can change that stack from there.
    """
    if not workspace.exists:
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(workspace.lock(verb, wait=0, on_wait=lambda _: None))
        except AiinfraError as error:
            if error.code is not Code.FILE_UNWRITABLE:
                raise
            report(Event("warning", str(workspace.root), "it cannot be written; this goes on without the stack's lock"))
        yield
