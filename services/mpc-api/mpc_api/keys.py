"""Who may call: `Authorization: Bearer KEY`, compared in constant time."""

import hmac
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from mpc_api.errors import ApiError, Code

CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Keys:
    """The accepted keys; only their digests are kept, so lengths do not show in the comparison either."""

    def __init__(self, key: bytes) -> None:
        self._digest = sha256(key).digest()

    def check(self, headers: Headers) -> None:
        """Raise ApiError UNAUTHORIZED unless `headers` carry an accepted key."""
        given = headers.getlist("authorization")
        if not given:
            raise ApiError(Code.UNAUTHORIZED, "Send your key as Authorization: Bearer KEY", headers=CHALLENGE)
        scheme, _, key = given[0].partition(" ")
        # Starlette decodes headers as latin-1: this gives the bytes that were sent.
        digest = sha256(key.strip(" ").encode("latin-1")).digest()
        if len(given) > 1 or scheme.lower() != "bearer" or not hmac.compare_digest(digest, self._digest):
            raise ApiError(Code.UNAUTHORIZED, "This key is not accepted", headers=CHALLENGE)


class KeyedRoute(APIRoute):
    """A route that checks the key before it reads the body: strangers' bodies are never parsed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            request.app.state.keys.check(request.headers)
            return await handle(request)

        return checked
