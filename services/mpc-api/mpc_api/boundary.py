"""The outermost layer: every request gets an id, a bound, an answer in our format and one log line."""

import logging
import re
import time
import uuid
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mpc_api.drain import Drain
from mpc_api.errors import ApiError, Code

MAX_BODY_BYTES = 1024 * 1024

log = logging.getLogger("mpc_api")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass
class Exchange:
    """One request and what its log line will say; handlers add to `fields`. At `request.state.exchange`."""

    request_id: str
    begun: float
    status: int = 0
    fields: dict[str, object] = field(default_factory=dict)


def too_large() -> ApiError:
    limit = {"limitBytes": MAX_BODY_BYTES}
    message = f"The body is larger than {MAX_BODY_BYTES} bytes"
    return ApiError(Code.PAYLOAD_TOO_LARGE, message, limit, {"Connection": "close"})


class Boundary:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, *, drain: Drain) -> None:
        self._app = app
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(_request_id(Headers(scope=scope)), time.perf_counter())
        scope.setdefault("state", {})["exchange"] = exchange

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = exchange.request_id
            await send(message)

        try:
            await self._serve(exchange, scope, receive, answer)
        except Exception as error:
            problem = internal(exchange, error)
            if exchange.status:  # half an answer is out: only breaking the connection tells the caller
                raise
            await problem.response()(scope, receive, answer)
        finally:
            _log(scope, exchange)

    async def _serve(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        if is_health(scope):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Headers(scope=scope))
        if refusal is not None:
            exchange.fields["code"] = refusal.code.value
            await refusal.response()(scope, receive, send)
            return
        with self._drain.request():
            await self._app(scope, _bounded(receive), send)

    def _refusal(self, headers: Headers) -> ApiError | None:
        if self._drain.begun:
            close = {"Connection": "close", "Retry-After": "1"}
            return ApiError(Code.SERVICE_UNAVAILABLE, "The service is shutting down", {"draining": True}, close)
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            return too_large()
        return None


def is_health(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/health" or path.startswith("/health/")


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _bounded(receive: Receive) -> Receive:
    """`receive`, until the body grows past the limit; for bodies that do not announce their length."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            # FastAPI turns every other exception from here into a 400.
            raise HTTPException(413)
        return message

    return bounded


def internal(exchange: Exchange, error: Exception) -> ApiError:
    error_id = uuid.uuid4().hex
    exchange.fields["errorId"] = error_id
    exchange.fields["code"] = Code.INTERNAL_ERROR.value
    fields = {"requestId": exchange.request_id, "errorId": error_id}
    log.error("internal_error", exc_info=error, extra={"fields": fields})
    return ApiError(Code.INTERNAL_ERROR, "Something went wrong on our side", {"errorId": error_id})


def _log(scope: Scope, exchange: Exchange) -> None:
    route = scope.get("route")
    fields = {
        "requestId": exchange.request_id,
        "method": scope["method"],
        "endpoint": getattr(route, "path", None) or scope["path"][:200],
        "status": exchange.status,
        "milliseconds": round((time.perf_counter() - exchange.begun) * 1000, 1),
        **exchange.fields,
    }
    # Probes come every second or so: their lines would bury the others.
    log.log(logging.DEBUG if is_health(scope) else logging.INFO, "request", extra={"fields": fields})
