"""One look at one endpoint, from where a user stands."""

import contextlib
import http.client
import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from aiinfra.connections import connection_to
from aiinfra.engine import Container, Engine
from aiinfra.stack import LITELLM, MPC_API, PUBLISHED, Endpoint, Stack

# The edge puts the stack's instance into every answer: something else on the port also says 200.
IDENTITY_HEADER = "x-aiinfra-stack"

# What says that a service serves. LiteLLM's `/health` would call every model, for money (BerriAI/litellm#13668).
PATHS = {LITELLM: "/health/readiness", MPC_API: "/health"}


_REDIS_PORT = 6379
# Answered by HAProxy alone (templates/edge/haproxy.cfg.j2).
_EDGE_PATH = "/-/edge"
_SHOWN = 300
_LATE = "no answer in time"
# Seconds until a container's address on this machine's own networks would have answered.
_NEAR = 0.5
_FROM_INSIDE = (
    "import http.client as h, sys; c = h.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=60); "
    "c.request('GET', sys.argv[2]); r = c.getresponse(); print(r.status, r.read(4096).decode('utf-8', 'replace'))"
)

K = TypeVar("K")


class Seen(NamedTuple):
    status: str
    text: str = ""
    dependencies: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Probe:
    """What was seen: `status` is healthy, degraded or unhealthy, `text` the reason when it is not healthy.

    `dependencies` is what the service itself says of those that it needs, by name.
    """

    status: str
    milliseconds: float
    text: str = ""
    dependencies: Mapping[str, str] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        return self.status == "healthy"


def endpoint(stack: Stack, service: str, *, timeout: float = 5.0) -> Probe:
    """Look at a published service through the edge. `timeout` is in seconds; never raises."""
    target = stack.endpoint(service)

    def look() -> Seen:
        response, body = _get(connection_to(target, timeout), PATHS[service])
        return _identity_fault(response, target, stack.identity.instance) or _judged(service, response.status, body)

    return _timed(look)


def edge(stack: Stack, *, timeout: float = 5.0) -> Probe:
    """Look at the edge itself: whatever it answers, it must be ours."""
    target = stack.endpoint(LITELLM)

    def look() -> Seen:
        response, _ = _get(connection_to(target, timeout), _EDGE_PATH)
        return _identity_fault(response, target, stack.identity.instance) or Seen("healthy")

    return _timed(look)


def direct(engine: Engine, container: Container, *, timeout: float = 5.0) -> Probe:
    """Look at one gateway or MPC-API, past the edge; never raises.

    By its address on a network of the engine's; where that leads nowhere (an engine in a virtual machine, or on
    another one), from inside the container.
    """
    service = container.service
    path, port, end = PATHS[service], PUBLISHED[service], time.monotonic() + timeout

    def look() -> Seen:
        if address := _reachable(container, port, timeout):
            response, body = _get(http.client.HTTPConnection(address, port, timeout=timeout), path)
            return _judged(service, response.status, body)
        command = ["python", "-ISc", _FROM_INSIDE, str(port), path]
        done = engine.execute(container, command, timeout=max(end - time.monotonic(), 0.1))
        status, _, body = done.stdout.partition(" ")
        if done.returncode != 0 or not status.isdigit():
            return Seen("unhealthy", (done.stderr.strip().splitlines() or ["no answer"])[-1][:_SHOWN])
        return _judged(service, int(status), body)

    return _timed(look)


def redis(engine: Engine, container: Container, password: str, *, timeout: float = 5.0) -> Probe:
    """PING Redis with its password, which travels on a connection or on standard input: it is in no process list."""
    end = time.monotonic() + timeout

    def look() -> Seen:
        if address := _reachable(container, _REDIS_PORT, timeout):
            return _pong(_talk_redis(address, password, end))
        quoted = "".join(f"\\x{byte:02x}" for byte in password.encode())
        seconds = max(end - time.monotonic(), 0.1)
        done = engine.execute(container, ["redis-cli"], text=f'AUTH "{quoted}"\nPING\n', timeout=seconds)
        return _pong(done.stdout + done.stderr)

    return _timed(look)


def together(looks: Mapping[K, Callable[[], Probe]], *, timeout: float) -> dict[K, Probe]:
    """Take looks at the same time; one that is not back after `timeout` seconds is given up, and says so."""
    answers: queue.SimpleQueue[tuple[K, Probe]] = queue.SimpleQueue()
    for name, look in looks.items():
        # Daemons: the process can end while one of them still waits.
        threading.Thread(target=lambda name=name, look=look: answers.put((name, look())), daemon=True).start()
    end = time.monotonic() + timeout
    found: dict[K, Probe] = {}
    with contextlib.suppress(queue.Empty):
        while len(found) < len(looks):
            name, probe = answers.get(timeout=max(end - time.monotonic(), 0.001))
            found[name] = probe
    late = Probe("unhealthy", round(timeout * 1000, 1), _LATE)
    return {name: found.get(name, late) for name in looks}


def _timed(look: Callable[[], Seen]) -> Probe:
    start = time.monotonic()
    try:
        seen = look()
    except (OSError, http.client.HTTPException) as error:
        seen = Seen("unhealthy", _reason(error))
    return Probe(seen.status, round((time.monotonic() - start) * 1000, 1), seen.text, dict(seen.dependencies))


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return _LATE
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__


def _judged(service: str, status: int, body: str) -> Seen:
    answer = _json(body)
    said = str(answer.get("status", "")) if service == MPC_API else ""
    dependencies = answer.get("dependencies")
    seen = {
        name: str(one.get("status", "")) for name, one in dependencies.items() if isinstance(one, dict)
    } if isinstance(dependencies, dict) else {}  # fmt: skip
    if status == http.client.OK:
        bad = ", ".join(f"{name} is {word}" for name, word in seen.items() if word != "healthy")
        return Seen(said or "healthy", "" if said in ("", "healthy") else bad or body[:_SHOWN], seen)
    fault = answer.get("error")
    message = fault.get("message") if isinstance(fault, dict) else None
    return Seen("unhealthy", f"HTTP {status}: {message or body[:_SHOWN]}", seen)


def _get(connection: http.client.HTTPConnection, path: str) -> tuple[http.client.HTTPResponse, str]:
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response, response.read(4096).decode("utf-8", "replace")
    finally:
        connection.close()


def _reachable(container: Container, port: int, timeout: float) -> str:
    """Return an address of the container that takes connections from here; "" when none does."""
    for address in container.addresses.values():
        with contextlib.suppress(OSError):
            socket.create_connection((address, port), min(_NEAR, timeout / 3)).close()
            return address
    return ""


def _talk_redis(address: str, password: str, end: float) -> str:
    words = password.encode()
    patience = max(end - time.monotonic(), 0.1)
    with socket.create_connection((address, _REDIS_PORT), patience) as connection, connection.makefile("rb") as answers:
        connection.sendall(b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%b\r\n*1\r\n$4\r\nPING\r\n" % (len(words), words))
        return b"".join((answers.readline(), answers.readline())).decode("utf-8", "replace")


def _pong(answer: str) -> Seen:
    last = answer.strip().splitlines()[-1:]
    return Seen("healthy") if last in (["PONG"], ["+PONG"]) else Seen("unhealthy", answer.strip()[:_SHOWN])


def _identity_fault(response: http.client.HTTPResponse, target: Endpoint, instance: str) -> Seen | None:
    if response.headers.get(IDENTITY_HEADER) == instance:
        return None
    return Seen("unhealthy", f"something else answers on port {target.port}: HTTP {response.status}")


def _json(body: str) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
