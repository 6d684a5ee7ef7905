"""The outermost layer: every request gets an id, an answer in our format and one log line."""

import logging
import uuid
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mpc_api import metrics
from mpc_api.bodies import MAX_BODY_BYTES, GoneError, too_large
from mpc_api.drain import Drain
from mpc_api.errors import ApiError, Code
from mpc_api.exchange import CURRENT, Exchange

log = logging.getLogger("mpc_api")

# What a log line says of a caller who did not wait for the answer (nginx's number for it).
GONE = 499

# Other details may quote what the caller sent.
_LOGGED = ("gatewayStatus", "errorClass", "quota", "scope")

_METHODS = frozenset({"GET", "POST", "OPTIONS", "HEAD", "PUT", "PATCH", "DELETE"})
_PROBES = frozenset({"/health", "/health/live", "/metrics"})

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


class Boundary:
    """ASGI middleware; see the module. `max_in_flight` bounds what is worked on at once, health apart."""

    def __init__(self, app: ASGIApp, *, drain: Drain, max_in_flight: int) -> None:
        self._app = app
        self._drain = drain
        self._max_in_flight = max_in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange.begin(scope["headers"])
        scope.setdefault("state", {})["exchange"] = exchange
        CURRENT.set(exchange)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = _headers(exchange, message)
            await send(message)

        try:
            await self._serve(exchange, scope, receive, answer)
        except ApiError as error:
            await _refuse(exchange, error, scope, receive, answer)
        except GoneError:
            exchange.status = exchange.status or GONE
        except Exception as error:
            problem = internal(exchange, error)
            if exchange.status:  # half an answer is out: only breaking the connection tells the caller
                raise
            await problem.response()(scope, receive, answer)
        finally:
            _finish(scope, exchange)

    async def _serve(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        if is_health(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._drain.begun:
            close = {"Connection": "close", "Retry-After": "1"}
            raise ApiError(Code.SERVICE_UNAVAILABLE, "The service is shutting down", {"draining": True}, close)
        if self._drain.in_flight >= self._max_in_flight:
            busy = {"maxInFlight": self._max_in_flight}
            raise ApiError(Code.SERVICE_UNAVAILABLE, "Too many requests at once", busy, {"Retry-After": "1"})
        length = exchange.head.content_length
        if length.isdigit() and int(length[:20]) > MAX_BODY_BYTES:
            raise too_large()
        self._drain.enter()
        try:
            await self._app(scope, receive, send)
        finally:
            self._drain.leave()


class Faults:
    """ASGI middleware inside of FastAPI: its own layers would answer what nobody foresaw in plain text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http" or scope["state"]["exchange"].status:
                raise
            await internal(scope["state"]["exchange"], error).response()(scope, receive, send)


def is_health(path: str) -> bool:
    return path == "/health" or path.startswith("/health/")


def note(exchange: Exchange, error: ApiError) -> None:
    """Let the log line say which failure this was."""
    exchange.fields["code"] = error.code.value
    for name in _LOGGED:
        if name in error.details:
            exchange.fields[name] = error.details[name]


async def _refuse(exchange: Exchange, error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    note(exchange, error)
    await error.response()(scope, receive, send)


def _headers(exchange: Exchange, message: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
    own: list[tuple[bytes, bytes]] = list(message.get("headers", []))
    names = {name for name, _ in own}
    further = [*exchange.headers, *SECURITY_HEADERS, (b"x-request-id", exchange.request_id.encode())]
    return own + [header for header in further if header[0] not in names]


def internal(exchange: Exchange, error: Exception) -> ApiError:
    error_id = uuid.uuid4().hex
    exchange.fields["errorId"] = error_id
    exchange.fields["code"] = Code.INTERNAL_ERROR.value
    fields = {"requestId": exchange.request_id, "errorId": error_id}
    log.error("internal_error", exc_info=error, extra={"fields": fields})
    return ApiError(Code.INTERNAL_ERROR, "Something went wrong on our side", {"errorId": error_id})


def _finish(scope: Scope, exchange: Exchange) -> None:
    path: str = scope["path"]
    route: str = exchange.endpoint or getattr(scope.get("route"), "path", "")
    method: str = scope["method"]
    metrics.count(exchange, route or "other", method if method in _METHODS else "other")
    # Probes come every second or so: their lines would bury the others.
    level = logging.DEBUG if route in _PROBES else logging.INFO
    if not log.isEnabledFor(level):
        return
    fields: dict[str, object] = {
        "requestId": exchange.request_id,
        "method": method,
        "endpoint": route or path[:200],
        "status": exchange.status,
        "milliseconds": exchange.milliseconds(),
    }
    if exchange.key is not None:
        fields["key"] = exchange.key.name
    log.log(level, "request", extra={"fields": fields | exchange.fields})
