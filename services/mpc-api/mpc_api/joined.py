"""What uvicorn writes in two parts, the head of an answer and its body, sent as one."""

import asyncio


class Joined(asyncio.Transport):
    """`transport` for one answer: its head waits for its body, for the rest of this turn of the event loop at most.

    A write of its own for the head costs as much as the work on an answer from the cache, and wakes the client twice.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._begun = False
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:  # type: ignore[override]  # uvicorn writes nothing else
        if self._begun:
            self._transport.write(self._taken() + data)
            return
        self._begun = True
        self._head = data
        asyncio.get_running_loop().call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._head is not None:
            self._transport.write(self._taken())

    def _taken(self) -> bytes:
        head, self._head = self._head or b"", None
        return head
