"""The response of events itself, without a server."""

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import pytest

from mpc_api.event_stream import Send, event, event_stream


def body(response: object) -> AsyncGenerator[bytes, None]:
    return cast("AsyncGenerator[bytes, None]", response.body_iterator)  # type: ignore[attr-defined]


def test_a_silent_stream_is_kept_alive() -> None:
    async def run() -> list[bytes]:
        alive = asyncio.Event()

        async def work(send: Send) -> None:
            await alive.wait()
            send(event("result", '{"a":1}'))

        found: list[bytes] = []
        async for one in body(event_stream(work, keep_alive=0.01)):
            found.append(one)
            if one == b": still there\n\n":
                alive.set()
        return found

    first, *silence, last = asyncio.run(run())
    assert first.startswith(b": ")
    assert set(silence) == {b": still there\n\n"}
    assert last == b'event: result\ndata: {"a":1}\n\n'


def test_whoever_leaves_ends_the_work() -> None:
    async def run() -> bool:
        ended = asyncio.Event()

        async def work(send: Send) -> None:
            send(event("delta", {"path": "a", "text": "b"}))
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        stream = body(event_stream(work))
        assert [await anext(stream), await anext(stream)][1].startswith(b"event: delta")
        await stream.aclose()
        return ended.is_set()

    assert asyncio.run(run())


def test_a_fault_of_the_work_ends_the_stream() -> None:
    async def run() -> None:
        async def work(send: Send) -> None:
            send(event("delta", {"path": "a", "text": "b"}))
            raise RuntimeError

        async for _ in body(event_stream(work)):
            pass

    with pytest.raises(RuntimeError):
        asyncio.run(run())


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\u2028", 'quote " and \\'])
def test_an_event_is_one_line_of_data(text: str) -> None:
    made = event("delta", {"text": text})
    assert made.count(b"\n") == 3
    assert b"\r" not in made
