"""One look at one endpoint, from where a user stands."""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiinfra.engine import Container, Engine
from aiinfra.stack import LITELLM, MPC_API, Endpoint, Stack

# The edge puts the stack's instance into every answer: something else on the port also says 200.
IDENTITY_HEADER = "x-aiinfra-stack"

# What says that a service serves. LiteLLM's `/health` would call every model, for money (BerriAI/litellm#13668).
PATHS = {LITELLM: "/health/readiness", MPC_API: "/health"}


@dataclass(frozen=True)
class Probe:
    """What was seen: `status` is healthy, degraded or unhealthy, `text` the reason when it is not healthy."""

    status: str
    milliseconds: float
    text: str = ""

    @property
    def healthy(self) -> bool:
        return self.status == "healthy"


def endpoint(stack: Stack, service: str, *, timeout: float = 5.0) -> Probe:
    """Look at a published service through the edge. `timeout` is in seconds; never raises."""
    target = stack.endpoint(service)
    return _timed(lambda: _http(target, PATHS[service], stack.identity.instance, timeout))


def edge(stack: Stack, *, timeout: float = 5.0) -> Probe:
    """Look at the edge itself: whatever it answers, it must be ours."""
    target = stack.endpoint(LITELLM)

    def look() -> tuple[str, str]:
        response, _ = _get(target, "/", timeout)
        return _identity_fault(response, target, stack.identity.instance) or ("healthy", "")

    return _timed(look)


def redis(engine: Engine, container: Container, password: str, *, timeout: float = 5.0) -> Probe:
    """PING Redis with its password, which travels on standard input and so is in no process list."""
    quoted = "".join(f"\\x{byte:02x}" for byte in password.encode())

    def look() -> tuple[str, str]:
        done = engine.execute(container, ["redis-cli"], text=f'AUTH "{quoted}"\nPING\n', timeout=timeout)
        answer = (done.stdout + done.stderr).strip()
        return ("healthy", "") if answer.splitlines()[-1:] == ["PONG"] else ("unhealthy", answer[:200])

    return _timed(look)


def _timed(look: Callable[[], tuple[str, str]]) -> Probe:
    start = time.monotonic()
    try:
        status, text = look()
    except (OSError, http.client.HTTPException) as error:
        status, text = "unhealthy", _reason(error)
    return Probe(status, round((time.monotonic() - start) * 1000, 1), text)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__


def _http(target: Endpoint, path: str, instance: str, timeout: float) -> tuple[str, str]:
    response, body = _get(target, path, timeout)
    if fault := _identity_fault(response, target, instance):
        return fault
    answer = _json(body)
    said = str(answer.get("status", "")) if target.service == MPC_API else ""
    if response.status == http.client.OK:
        return ("healthy", "") if said in ("", "healthy") else (said, body[:300])
    fault = answer.get("error")
    message = fault.get("message") if isinstance(fault, dict) else None
    return "unhealthy", f"HTTP {response.status}: {message or body[:300]}"


def _get(target: Endpoint, path: str, timeout: float) -> tuple[http.client.HTTPResponse, str]:
    host = target.url.removeprefix("http://").rsplit(":", 1)[0].strip("[]")
    connection = http.client.HTTPConnection(host, target.port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response, response.read(4096).decode("utf-8", "replace")
    finally:
        connection.close()


def _identity_fault(response: http.client.HTTPResponse, target: Endpoint, instance: str) -> tuple[str, str] | None:
    if response.headers.get(IDENTITY_HEADER) == instance:
        return None
    return "unhealthy", f"something else answers on port {target.port}: HTTP {response.status}"


def _json(body: str) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
