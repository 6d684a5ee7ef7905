"""The body of a request, read whole within its bounds: size, time to arrive, depth of its JSON."""

import asyncio
import re

from starlette.types import Receive

from mpc_api.errors import ApiError, Code

MAX_BODY_BYTES = 1024 * 1024
MAX_DEPTH = 32

_CLOSE = {"Connection": "close"}
_STRINGS_AND_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|$)|[\[{]|[\]}]', re.DOTALL)


class GoneError(Exception):
    """The caller hung up; there is nobody to answer."""


def too_large() -> ApiError:
    limit = {"limitBytes": MAX_BODY_BYTES}
    return ApiError(Code.PAYLOAD_TOO_LARGE, f"The body is larger than {MAX_BODY_BYTES} bytes", limit, _CLOSE)


async def read(receive: Receive, *, timeout: float) -> bytes:  # noqa: ASYNC109  # it becomes an answer of ours
    """The whole body. Raises ApiError PAYLOAD_TOO_LARGE or REQUEST_TIMEOUT, and GoneError."""
    try:
        async with asyncio.timeout(timeout):
            return await _read(receive)
    except TimeoutError as error:
        details = {"timeoutSeconds": timeout}
        raise ApiError(Code.REQUEST_TIMEOUT, "The body did not arrive in time", details, _CLOSE) from error


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise too_large()
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts) if len(parts) > 1 else part


def refuse_deep(body: bytes) -> None:
    """Raise ApiError BAD_REQUEST for JSON that is nested deeper than anything we take; before it is parsed."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for found in _STRINGS_AND_BRACKETS.finditer(body):
        first = found[0][:1]
        if first == b'"':
            continue
        depth += 1 if first in b"[{" else -1
        if depth > MAX_DEPTH:
            message = f"The JSON is nested deeper than {MAX_DEPTH} levels"
            raise ApiError(Code.BAD_REQUEST, message, {"limitDepth": MAX_DEPTH})
