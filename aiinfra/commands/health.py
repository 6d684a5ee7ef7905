"""`health`: all probes at once; healthy only when all of them are."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiinfra import keys, probes
from aiinfra.engine import Container, Engine
from aiinfra.loading import Target, running
from aiinfra.probes import Probe
from aiinfra.stack import EDGE, LITELLM, MPC_API, REDIS, SERVICES


@dataclass(frozen=True)
class ServiceHealth:
    """`status` is healthy, degraded, unhealthy, stopped, paused or restarting.

    `container` is the engine's word, `text` the reason when it is not healthy.
    """

    service: str
    status: str
    container: str
    milliseconds: float | None
    text: str


@dataclass(frozen=True)
class HealthResult:
    stack: str
    status: str
    services: tuple[ServiceHealth, ...]


def health(target: Target, services: Sequence[str], *, engine: Engine, timeout: float = 5.0) -> HealthResult:
    """Probe services (all when none is named) at the same time. `timeout` is in seconds, for each probe."""
    stack = running(target)
    wanted = [name for name in SERVICES if name in services or not services]
    with ThreadPoolExecutor() as pool:
        listing = pool.submit(engine.containers, target.name)
        looks: dict[str, Callable[[], Probe | None]] = {
            REDIS: lambda: _redis(target, listing.result(), engine, timeout),
            LITELLM: lambda: probes.endpoint(stack, LITELLM, timeout=timeout),
            MPC_API: lambda: probes.endpoint(stack, MPC_API, timeout=timeout),
            EDGE: lambda: probes.edge(stack, timeout=timeout),
        }
        answers = {name: pool.submit(looks[name]) for name in wanted}
        containers = listing.result()
        target.refuse_elsewhere(containers)
        found = {one.service: one for one in containers}
        rows = tuple(_judge(name, found.get(name), answers[name].result()) for name in wanted)
    return HealthResult(target.name, _worst(rows), rows)


def _redis(target: Target, containers: Sequence[Container], engine: Engine, timeout: float) -> Probe | None:
    container = next((one for one in containers if one.service == REDIS and one.running), None)
    if container is None:
        return None
    password = keys.load(target.directory, target.name).get("REDIS_PASSWORD", "")
    return probes.redis(engine, container, password, timeout=timeout)


def _judge(service: str, container: Container | None, probe: Probe | None) -> ServiceHealth:
    if container is None or not container.running:
        state = container.state if container else "missing"
        text = f"exit code {container.exit_code}" if container and container.state == "exited" else ""
        status = state if state in ("paused", "restarting") else "stopped"
        return ServiceHealth(service, status, state, None, text or "it does not run")
    said = container.health or container.state
    if probe is None or not probe.healthy:
        status, text = (probe.status, probe.text) if probe else ("unhealthy", "it could not be probed")
    elif container.health == "unhealthy":
        status, text = "unhealthy", container.last_check
    else:
        status, text = "healthy", ""
    return ServiceHealth(service, status, said, probe.milliseconds if probe else None, text)


def _worst(rows: Sequence[ServiceHealth]) -> str:
    statuses = {row.status for row in rows}
    if statuses == {"healthy"}:
        return "healthy"
    return "degraded" if statuses <= {"healthy", "degraded"} else "unhealthy"
