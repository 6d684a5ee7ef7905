"""Before FastAPI sees a generation: who calls, whether they may, how often they may, and what they sent."""

import asyncio
import re
from collections.abc import Mapping
from typing import cast

from pydantic import ValidationError
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mpc_api import answering, bodies
from mpc_api.boundary import Faults, note
from mpc_api.caching import Cached, wishes
from mpc_api.errors import ApiError
from mpc_api.exchange import Exchange
from mpc_api.inputs import Input
from mpc_api.keys import Key, Keys
from mpc_api.kinds import KINDS, AnyKind, KindName
from mpc_api.quotas import Quotas

# Each address of a generation with the scope that it needs; a batch asks for each of its items.
SCOPED: Mapping[str, str | None] = {
    "/generate/script": "script",
    "/generate/thumbnail-prompt": "thumbnail-prompt",
    "/generate/metadata": "metadata",
    "/generate/batch": None,
}
_PLAIN = {path: KINDS[cast("KindName", name)] for path, name in SCOPED.items() if name is not None}
_JSON = re.compile(rb"application/json *(;.*)?", re.IGNORECASE)


class Gate:
    """ASGI middleware; see the module. Raises ApiError and GoneError, which the boundary turns into answers.

    The exchange has the caller's Key from here on. `state` is that of the application.
    """

    def __init__(self, app: ASGIApp, *, state: State, keys: Keys, quotas: Quotas, body_timeout: float) -> None:
        self._app = app
        self._state = state
        self._keys = keys
        self._quotas = quotas
        self._body_timeout = body_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in SCOPED:
            await self._app(scope, receive, send)
            return
        exchange: Exchange = scope["state"]["exchange"]
        exchange.endpoint = scope["path"]
        key = self._keys.identify(exchange.head.authorization)
        exchange.key = key
        await self._admit(key, SCOPED[scope["path"]], exchange)
        body = await bodies.read(receive, timeout=self._body_timeout)
        bodies.refuse_deep(body)
        app = self._app
        kind = _plain(scope, exchange)
        wanted = _read(kind, body) if kind is not None else None
        if kind is not None and wanted is not None:
            if await _from_cache(self._state.cached, kind, wanted, exchange, send):
                return
            app = Faults(_direct(kind, wanted, self._state))
        await _unless_gone(app, scope, body, receive, send)

    async def _admit(self, key: Key, wanted: str | None, exchange: Exchange) -> None:
        if wanted is None:
            return
        key.require(wanted)
        standing = await self._quotas.admit(key)
        if standing is not None:
            exchange.headers += [(name.lower().encode(), value.encode()) for name, value in standing.headers().items()]


def _plain(scope: Scope, exchange: Exchange) -> AnyKind | None:
    """What is asked for by a request that FastAPI is not needed for: one answer in one piece, no parameters."""
    head = exchange.head
    if scope["query_string"] or b"event-stream" in head.accept or not _JSON.fullmatch(head.content_type):
        return None
    return _PLAIN.get(scope["path"])


def _read(kind: AnyKind, body: bytes) -> Input | None:
    """The request, or None: then FastAPI says what is wrong with it."""
    try:
        wanted: Input = kind.request.model_validate_json(body)
    except ValidationError:
        return None
    return wanted


async def _from_cache(cached: Cached, kind: AnyKind, wanted: Input, exchange: Exchange, send: Send) -> bool:
    """Answer what is kept already; whether that was possible."""
    if exchange.head.cache_control and not wishes(exchange.head.cache_control)[0]:
        return False
    answer = await cached.stored(kind, wanted, exchange.begun)
    if answer is None:
        return False
    exchange.fields["cached"] = True
    await _send(answer, send)
    return True


def _direct(kind: AnyKind, wanted: Input, state: State) -> ASGIApp:
    """An application that makes the answer to `wanted`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope["state"]["exchange"]
        try:
            success = await answering.success(kind, wanted, exchange, state)
        except ApiError as error:
            note(exchange, error)
            await error.response()(scope, receive, send)
        else:
            await _send(success.model_dump_json().encode(), send)

    return app


async def _send(answer: bytes, send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def _unless_gone(app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
    """Run `app` with a body that is read already; cancel it when the caller hangs up. Raises GoneError then."""
    gone = asyncio.Event()
    answered = False
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        if unread:
            return unread.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def watched(message: Message) -> None:
        nonlocal answered
        answered = message["type"] == "http.response.body" and not message.get("more_body", False)
        await send(message)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()
        if not answered:
            work.cancel()

    work = asyncio.ensure_future(app(scope, replay, watched))
    watcher = asyncio.create_task(watch())
    try:
        await work
    except asyncio.CancelledError:
        if not gone.is_set() or answered:
            raise
        raise bodies.GoneError from None
    finally:
        watcher.cancel()
