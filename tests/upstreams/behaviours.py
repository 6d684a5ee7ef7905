"""What can happen to a request at a provider, by name.

answer          the provider's answer, as a whole or as a stream
500, 429, ...   that status, with the provider's own error body
hang            no answer at all
garbage         200 and something that is no JSON
wrong-shape     200 and JSON that is no completion
cut             the connection ends in the middle of the answer
drip            a piece of the answer every `DRIP_SECONDS`
context-length  the provider's way to say that the prompt is too long
content-policy  the provider's way to say that it does not like the prompt
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from starlette.responses import JSONResponse, Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FOR_EVER = 10**9
HANG_SECONDS = 600
DRIP_SECONDS = 0.1
CUT_SECONDS = 0.5
PIECES = 10


@dataclass
class Script:
    """The same behaviour for so many requests, then answers."""

    behaviour: str = "answer"
    times: int = FOR_EVER

    def next(self) -> str:
        self.times -= 1
        return self.behaviour if self.times >= 0 else "answer"


class Speaks(Protocol):
    """What a module of one provider's wire format has."""

    CONTEXT_LENGTH: dict[str, Any]
    CONTENT_POLICY: dict[str, Any]

    def failure(self, status: int, /) -> dict[str, Any]: ...

    def answer(self, path: str, body: dict[str, Any], /) -> dict[str, Any]: ...

    def events(self, body: dict[str, Any], /) -> list[str]: ...


class CutError(Exception):
    """Raised in the middle of an answer: the server then drops the connection."""


async def perform(behaviour: str, speaks: Speaks, path: str, body: dict[str, Any]) -> Response:
    if behaviour.isdigit():
        headers = {"retry-after": "1"} if behaviour == "429" else {}
        return JSONResponse(speaks.failure(int(behaviour)), int(behaviour), headers)
    match behaviour:
        case "hang":
            await asyncio.sleep(HANG_SECONDS)
        case "garbage":
            return Response("<html>\x01 it works! {{", media_type="text/html")
        case "wrong-shape":
            return JSONResponse({"unexpected": True})
        case "context-length":
            return JSONResponse(speaks.CONTEXT_LENGTH, 400)
        case "content-policy":
            return JSONResponse(speaks.CONTENT_POLICY, 400)
    return _answer(behaviour, speaks, path, body)


def _answer(behaviour: str, speaks: Speaks, path: str, body: dict[str, Any]) -> Response:
    if body.get("stream"):
        pieces, headers = speaks.events(body), {"content-type": "text/event-stream"}
    else:
        text = json.dumps(speaks.answer(path, body))
        size = max(1, len(text) // PIECES)
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        headers = {"content-type": "application/json", "content-length": str(len(text.encode()))}
    return StreamingResponse(_pieces(behaviour, pieces), headers=headers)


async def _pieces(behaviour: str, pieces: list[str]) -> AsyncIterator[str]:
    for index, piece in enumerate(pieces):
        if index == {"cut": len(pieces) // 2, "cut-early": 1}.get(behaviour):
            # Otherwise what was sent before may be lost with the connection.
            await asyncio.sleep(CUT_SECONDS)
            raise CutError
        if behaviour == "drip":
            await asyncio.sleep(DRIP_SECONDS)
        yield piece
