"""A gateway that answers every chat at once with the same valid script: `python bench/upstream.py PORT`.

As small as it can be, so that what is measured is the service in front of it.
"""

import asyncio
import json
import sys

NARRATION = "Cold water draws less acid out of the grounds, and time does the rest. " * 11
DRAFT = {
    "title": "Cold brew in five minutes",
    "hook": "Your coffee is too hot.",
    "sections": [
        {"heading": "Why", "narration": "Your coffee is too hot. Wait for it.", "visualNotes": "steam", "seconds": 10},
        {"heading": "How", "narration": NARRATION.strip(), "visualNotes": "a jar", "seconds": 50},
    ],
    "callToAction": "Subscribe for more.",
}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "bench/script",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": json.dumps(DRAFT)}}],
    "usage": {"prompt_tokens": 500, "completion_tokens": 200, "total_tokens": 700},
}


def _whole(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


ANSWER = _whole("200 OK", json.dumps(COMPLETION).encode())
READY = _whole("200 OK", b'{"status":"healthy"}')


class Protocol(asyncio.Protocol):
    """Answers a request as soon as its body is whole; no pipelining."""

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end:
            return
        length = 0
        for line in head.lower().split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name == b"content-length":
                length = int(value)
        if len(body) >= length:
            self._data = b""
            self._transport.write(ANSWER if head.startswith(b"POST") else READY)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", port)
    print(json.dumps({"event": "started", "port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
