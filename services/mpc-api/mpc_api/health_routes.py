"""GET /health and /health/live: no key needed, no model called."""

import asyncio
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from mpc_api import __version__
from mpc_api.errors import ApiError, Code, Problem, documented
from mpc_api.health import Look, Status, overall
from mpc_api.wire import Wire, timestamp

router = APIRouter()

_started = time.monotonic()


class Dependency(Wire):
    status: Status
    latency_ms: float


class Health(Wire):
    """`error` is there when the answer is a 503, in the format of every other failure."""

    service: Literal["mpc-api"] = "mpc-api"
    status: Status
    draining: bool
    version: str = __version__
    uptime_seconds: float
    dependencies: dict[str, Dependency]
    timestamp: str
    error: Annotated[Problem | None, Field(exclude_if=lambda error: error is None)] = None


class Live(Wire):
    service: Literal["mpc-api"] = "mpc-api"
    status: Literal["alive"] = "alive"
    timestamp: str


@router.get("/health", responses={503: {"model": Health, "description": "unhealthy or draining"}})
async def health(request: Request, response: Response) -> Health:
    """Whether this service can do its work: 200 healthy or degraded, 503 unhealthy or draining."""
    waiting = {name: one.look() for name, one in request.app.state.looks.items()}
    found: dict[str, Look] = dict(zip(waiting, await asyncio.gather(*waiting.values()), strict=True))
    status = overall({name: look.status for name, look in found.items()})
    draining: bool = request.app.state.drain.begun
    error = _error(status, draining=draining)
    if error is not None:
        response.status_code = error.status
    return Health(
        status="unhealthy" if draining else status,
        draining=draining,
        uptime_seconds=round(time.monotonic() - _started, 3),
        dependencies={name: Dependency(status=one.status, latency_ms=one.latency_ms) for name, one in found.items()},
        timestamp=timestamp(),
        error=None if error is None else Problem.model_validate(error.body()),
    )


@router.get("/health/live", responses=documented(Code.SERVICE_UNAVAILABLE))
async def live(request: Request) -> Live:
    """Whether this process takes work, whatever its dependencies do: for whoever sends it requests."""
    if request.app.state.drain.begun:
        raise ApiError(Code.SERVICE_UNAVAILABLE, "The service is shutting down", {"draining": True})
    return Live(timestamp=timestamp())


def _error(status: Status, *, draining: bool) -> ApiError | None:
    if draining:
        return ApiError(Code.SERVICE_UNAVAILABLE, "The service is shutting down", {"draining": True})
    if status == "unhealthy":
        return ApiError(Code.SERVICE_UNAVAILABLE, "The LLM gateway cannot be reached", {"dependency": "litellm"})
    return None
