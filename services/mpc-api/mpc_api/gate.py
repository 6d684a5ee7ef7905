"""Before FastAPI sees a generation: who calls, whether they may, how often they may, and what they sent."""

import asyncio
from collections.abc import Mapping
from typing import cast

from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mpc_api import bodies
from mpc_api.caching import Cached, wishes
from mpc_api.exchange import Exchange
from mpc_api.keys import Key, Keys
from mpc_api.kinds import KINDS, KindName
from mpc_api.quotas import Quotas

# Each address of a generation with the scope that it needs; a batch asks for each of its items.
SCOPED: Mapping[str, str | None] = {
    "/generate/script": "script",
    "/generate/thumbnail-prompt": "thumbnail-prompt",
    "/generate/metadata": "metadata",
    "/generate/batch": None,
}
_PLAIN = {path: KINDS[cast("KindName", name)] for path, name in SCOPED.items() if name is not None}


class Gate:
    """ASGI middleware; see the module. Raises ApiError and GoneError, which the boundary turns into answers.

    `scope["state"]["identity"]` is the caller's Key from here on. `state` is that of the application.
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
        scope["state"]["identity"] = exchange.key = key
        await self._admit(key, SCOPED[scope["path"]], exchange)
        body = await bodies.read(receive, timeout=self._body_timeout)
        bodies.refuse_deep(body)
        if await _from_cache(self._state.cached, scope, body, exchange, send):
            return
        await _unless_gone(self._app, scope, body, receive, send)

    async def _admit(self, key: Key, wanted: str | None, exchange: Exchange) -> None:
        if wanted is None:
            return
        key.require(wanted)
        standing = await self._quotas.admit(key)
        if standing is not None:
            exchange.headers += [(name.lower().encode(), value.encode()) for name, value in standing.headers().items()]


async def _from_cache(cached: Cached, scope: Scope, body: bytes, exchange: Exchange, send: Send) -> bool:
    """Answer what is kept already, without FastAPI in the way; whether that was possible."""
    head = exchange.head
    kind = _PLAIN.get(scope["path"])
    if kind is None or scope["query_string"] or b"json" not in head.content_type or b"event-stream" in head.accept:
        return False
    if head.cache_control and not wishes(head.cache_control)[0]:
        return False
    answer = await cached.stored(kind, body, exchange.begun)
    if answer is None:
        return False
    exchange.fields["cached"] = True
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
    return True


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
