"""LiteLLM's application, which also accepts the master key of before while clients change over to the new one.

LiteLLM knows one master key (`general_settings.master_key`). Where LITELLM_MASTER_KEY_PREVIOUS is set, a request that
carries that key is handed on with the present one; without it, this is LiteLLM's application and nothing else.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

# Where LiteLLM looks for a key (litellm/proxy/auth/user_api_key_auth.py): OpenAI's header and those of other SDKs.
KEY_HEADERS = frozenset({b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"x-litellm-api-key"})
_BEARER = b"bearer "


class BothKeys:
    """An ASGI application that gives requests with the previous key the present one."""

    def __init__(self, application: Callable[..., Awaitable[None]], previous: str, present: str) -> None:
        """`previous` and `present` are keys as clients send them."""
        self._application = application
        self._previous = previous.encode()
        self._present = present.encode()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] in ("http", "websocket"):
            scope = {**scope, "headers": [(name, self._exchanged(name, value)) for name, value in scope["headers"]]}
        await self._application(scope, receive, send)

    def _exchanged(self, name: bytes, value: bytes) -> bytes:
        if name not in KEY_HEADERS:
            return value
        start = len(_BEARER) if value[: len(_BEARER)].lower() == _BEARER else 0
        same = hmac.compare_digest(value[start:].strip(), self._previous)
        return value[:start] + self._present if same else value


def accepting_both(application: Any, environment: MutableMapping[str, str]) -> Any:
    """Return the application as it is, or one that accepts LITELLM_MASTER_KEY_PREVIOUS too, where that is set."""
    previous = environment.pop("LITELLM_MASTER_KEY_PREVIOUS", "")
    return BothKeys(application, previous, environment["LITELLM_MASTER_KEY"]) if previous else application
