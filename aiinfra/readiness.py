"""Waiting until services are healthy, and saying why one is not.

Compose's own `--wait` reports success for services that never became ready and a crash 25 seconds late
(docker/compose#12416), so the wait is ours: one deadline, the engine's view and our own probe.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from aiinfra import keys, probes
from aiinfra.clock import SYSTEM_CLOCK, Clock
from aiinfra.diagnosis import LOG_LINES, exit_reason, not_ready
from aiinfra.edge import Edge
from aiinfra.engine import Container, Engine, Exit
from aiinfra.errors import AiinfraError
from aiinfra.probes import Probe
from aiinfra.stack import EDGE, LITELLM, MPC_API, PUBLISHED, REDIS, Stack

__all__ = ["Wait", "exit_reason"]

_PAUSE = 0.2

# Seconds until a wait says what it waits for.
_SILENT = 10.0

# Who is to blame when several are not healthy: what stands in front of or below the others comes first.
_CAUSES = (REDIS, EDGE, LITELLM, MPC_API)


@dataclass
class Wait:
    """One wait for a stack, with one deadline.

    `on_ready` is called once per service, with the seconds since `started`; before that `on_late`, with the reason, for
    one that takes long and that others may wait for. `before` is how the containers stood before anything was started:
    one that is still as it was has not crashed.
    """

    stack: Stack
    engine: Engine
    root: Path
    seconds: float
    on_ready: Callable[[str, float], None]
    clock: Clock = SYSTEM_CLOCK
    before: Sequence[Container] = ()
    on_late: Callable[[str, str], None] = lambda *_: None
    ready: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.clock.now()

    def healthy(self, services: Sequence[str]) -> None:
        """Wait until services are healthy, for the engine and for our own probe.

        Raises AiinfraError (NOT_READY) at the deadline, and at once when a container exits or restarts.
        """
        pending, told = list(services), set[str]()
        with ThreadPoolExecutor() as pool:
            while True:
                seen = self._containers()
                self._refuse_crashed(seen)
                published = [name for name in pending if name in PUBLISHED]
                found = dict(zip(published, pool.map(self._probe, published), strict=True))
                for name in list(pending):
                    probe = found.get(name)
                    if self._all_healthy(seen.get(name, ())) and (probe is None or probe.healthy):
                        pending.remove(name)
                        self.note_ready(name, self.clock.now() - self.started)
                if not pending and self._edge_agrees(seen, services):
                    return
                waited = self.clock.now() - self.started
                if waited > self.seconds:
                    raise self._late(pending, seen, found)
                late = min(pending, key=_CAUSES.index, default="")
                if late and waited > _SILENT and late not in told:
                    told.add(late)
                    self.on_late(late, _said(found.get(late), _worst(seen.get(late, ()))))
                self.clock.sleep(_PAUSE)

    def _containers(self) -> dict[str, list[Container]]:
        seen: dict[str, list[Container]] = {}
        for one in self.engine.containers(self.stack.name):
            seen.setdefault(one.service, []).append(one)
        return seen

    def _all_healthy(self, containers: Sequence[Container]) -> bool:
        wanted = self.stack.replicas[containers[0].service] if containers else 1
        return len(containers) >= wanted and all(one.health == "healthy" for one in containers)

    def _edge_agrees(self, seen: Mapping[str, Sequence[Container]], services: Sequence[str]) -> bool:
        """Say whether the edge found every container fit; a check that began before its start may still fail."""
        if not set(services) & set(PUBLISHED):
            return True
        edge = Edge(self.engine, seen[EDGE][0], self.stack, self.root) if EDGE in seen else None
        if edge is None or not seen[EDGE][0].running:
            return False
        serving = {server.name for server in edge.servers() if server.serves}
        return serving >= {one.name for name in services if name in PUBLISHED for one in seen.get(name, ())}

    def _probe(self, service: str) -> Probe:
        # HAProxy holds a request back for a second when a server that is starting refused it: asking anew is
        # quicker. A machine that is slow all the time gets more patience.
        elapsed = self.clock.now() - self.started
        return probes.endpoint(self.stack, service, timeout=min(0.5 + elapsed / 10, 5.0))

    def note_ready(self, service: str, seconds: float) -> None:
        """Tell that a service is ready, once it is."""
        self.ready[service] = seconds
        self.on_ready(service, seconds)

    def _refuse_crashed(self, seen: Mapping[str, Sequence[Container]]) -> None:
        before = {one.id: one for one in self.before}
        for service, container in ((name, one) for name, group in seen.items() for one in group):
            if _crashed(before.get(container.id), container):
                end = self.engine.last_exit(container)
                again = f"it crashes again and again (restarts: {container.restarts}): " if container.restarts else ""
                reason = f"{again}{exit_reason(service, end)} while it was starting"
                raise self._failure(service, reason, container, end)

    def _late(
        self, pending: Sequence[str], seen: Mapping[str, Sequence[Container]], found: Mapping[str, Probe]
    ) -> AiinfraError:
        service = min(pending, key=_CAUSES.index) if pending else EDGE
        container = _worst(seen.get(service, ()))
        if not pending:
            return self._failure(EDGE, f"its own checks fail after {self.seconds:.0f} s", container)
        if container is None:
            return self._failure(service, "its container is gone", None)
        said = _said(found.get(service), container)
        reason = f"it is not healthy after {self.seconds:.0f} s; its last check says: {said}"
        return self._failure(service, reason, container)

    def _failure(self, service: str, reason: str, container: Container | None, end: Exit | None = None) -> AiinfraError:
        lines = self.engine.logs_of(container, LOG_LINES) if container else []
        secrets = keys.load(self.stack.directory, self.stack.name).values()
        return not_ready(service, container, reason, end=end, lines=lines, secrets=secrets)


def _worst(containers: Sequence[Container]) -> Container | None:
    """Of several replicas the one at fault is shown."""
    return min(containers, key=lambda one: one.health == "healthy", default=None)


def _said(probe: Probe | None, container: Container | None) -> str:
    """Return what the last look at a service said."""
    if probe and not probe.healthy and probe.text:
        return probe.text
    return (container.last_check if container else "") or "no check has run yet"


def _crashed(before: Container | None, now: Container) -> bool:
    stopped = now.state in ("exited", "dead", "restarting")
    if before is not None and before.started == now.started:
        return stopped and before.running
    # `docker start` sets the count of restarts back to 0.
    return now.started is not None and (stopped or now.restarts > 0)
