"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from starlette.responses import StreamingResponse

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE_SECONDS = 10.0

Send = Callable[[bytes], None]


def event(name: str, data: Mapping[str, object] | str) -> bytes:
    """One event; `data` that is text is JSON already."""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n".encode()


def event_stream(
    work: Callable[[Send], Awaitable[None]], *, keep_alive: float = KEEP_ALIVE_SECONDS
) -> StreamingResponse:
    """A response of the events that `work` sends, and comments while it is silent.

    When the client leaves, `work` is cancelled.
    """
    return StreamingResponse(
        _events(work, keep_alive),
        media_type=MEDIA_TYPE,
        # Some proxies hold answers back to fill their buffers; nginx does not when it is told so.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(work: Callable[[Send], Awaitable[None]], keep_alive: float) -> AsyncIterator[bytes]:
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def working() -> None:
        try:
            await work(queue.put_nowait)
        finally:
            queue.put_nowait(None)

    task = asyncio.create_task(working())
    try:
        yield b": the answer begins\n\n"
        while True:
            try:
                async with asyncio.timeout(keep_alive):
                    sent = await queue.get()
            except TimeoutError:
                yield b": still there\n\n"
                continue
            if sent is None:
                break
            yield sent
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
