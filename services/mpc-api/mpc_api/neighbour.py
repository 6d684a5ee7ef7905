"""HTTP/1.1 over plain TCP to one neighbour, for httpx2, whose own transport is half of what a short call costs."""

import asyncio
import select
from collections.abc import AsyncIterator
from typing import cast

import httptools
import httpx2

# As httpx2 has them: connections at once, those kept while nothing is asked, and for how many seconds.
MOST = 100
MOST_KEPT = 20
KEPT_SECONDS = 5.0
MAX_HEAD_BYTES = 100 * 1024


class Connection(asyncio.Protocol):
    """One connection; it carries one request and its answer at a time."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.whole = False  # nothing of the answer is missing
        self.idle_since = 0.0
        self._headed = False
        self._head_bytes = 0
        self._ends_itself = False
        self._keeps = False
        self._lost = False
        self._failure: str | None = None
        self._parts: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._parser: httptools.HttpResponseParser
        self._transport: asyncio.Transport

    @property
    def reusable(self) -> bool:
        """Whether the next request may go this way: nothing has come that was not asked for, its end neither."""
        return self.whole and self._keeps and not self._transport.is_closing() and not _readable(self._transport)

    def send(self, request: bytes) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.headers = []
        self.whole = self._headed = False
        self._head_bytes = 0
        self._transport.write(request)

    async def head(self, seconds: float | None) -> None:
        """Wait for status and headers."""
        while not self._headed:
            await self._more("Server disconnected without sending a response.", seconds)

    async def part(self, seconds: float | None) -> bytes:
        """What has come of the body, at least a byte; nothing at its end."""
        while not self._parts and not self.whole:
            await self._more("Server disconnected in the middle of its answer.", seconds)
        return self.taken()

    def taken(self) -> bytes:
        """What has come of the body and was not taken yet."""
        part = b"".join(self._parts)
        self._parts.clear()
        return part

    def close(self) -> None:
        self._transport.abort()

    async def _more(self, lost: str, seconds: float | None) -> None:
        if self._failure is not None or self._lost:
            raise httpx2.RemoteProtocolError(self._failure or lost)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._waiter
        except TimeoutError as error:
            raise httpx2.ReadTimeout("Nothing came in time.") from error
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.whole:  # nobody has asked
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._failure = str(error) or "This is not HTTP."
            self._keeps = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._headed and not self._ends_itself and exc is None:
            self.whole = True
        self._wake()

    # What the parser tells.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise httpx2.RemoteProtocolError("The headers are too large.")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:  # noqa: PLR2004  # informational: the answer comes after it
            self.headers = []
            return
        self._headed = True
        self._keeps = self._parser.should_keep_alive()
        sizes = {b"content-length", b"transfer-encoding"}
        self._ends_itself = any(name.lower() in sizes for name, _ in self.headers)

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        self.whole = self._headed


class Neighbour(httpx2.AsyncBaseTransport):
    """The transport for the server at `url`, which begins with http:. Raises what that of httpx2 raises."""

    def __init__(self, url: str) -> None:
        self._url = httpx2.URL(url)
        self._room = asyncio.Semaphore(MOST)
        self._idle: list[Connection] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        seconds: dict[str, float | None] = request.extensions["timeout"]
        sent = _head(request) + await request.aread()
        await self._enter(seconds["pool"])
        connection = None
        try:
            connection = self._kept() or await self._connect(seconds["connect"])
            connection.send(sent)
            await connection.head(seconds["read"])
        except BaseException:
            self.leave(connection)
            raise
        stream: httpx2.AsyncByteStream = _Body(self, connection, seconds["read"])
        status, headers = connection.status, connection.headers
        if connection.whole:
            stream = httpx2.ByteStream(connection.taken())
            self.leave(connection)
        return httpx2.Response(status, headers=headers, stream=stream)

    def leave(self, connection: Connection | None) -> None:
        """Make room for the next; what is in the middle of something is closed."""
        self._room.release()
        if connection is None:
            return
        if connection.reusable and len(self._idle) < MOST_KEPT:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.close()

    async def aclose(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _enter(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._room.acquire()
        except TimeoutError as error:
            raise httpx2.PoolTimeout("Too many calls at once.") from error

    def _kept(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - KEPT_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self, seconds: float | None) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                _, made = await loop.create_connection(Connection, self._url.host, self._url.port or 80)
        except TimeoutError as error:
            raise httpx2.ConnectTimeout("No connection in time.") from error
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        return made


class _Body(httpx2.AsyncByteStream):
    """The rest of an answer that is still coming."""

    def __init__(self, transport: Neighbour, connection: Connection, seconds: float | None) -> None:
        self._transport = transport
        self._connection: Connection | None = connection
        self._seconds = seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._connection is not None and (part := await self._connection.part(self._seconds)):
            yield part

    async def aclose(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._transport.leave(connection)


def _readable(transport: asyncio.Transport) -> bool:
    """Whether the other side has sent something, or hung up, that the event loop has not told yet."""
    poll = select.poll()
    poll.register(transport.get_extra_info("socket"), select.POLLIN)
    return bool(poll.poll(0))


def _head(request: httpx2.Request) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    lines += [b"%b: %b" % header for header in request.headers.raw]
    head = b"\r\n".join(lines)
    if head.count(b"\n") >= len(lines) or head.count(b"\r") >= len(lines):
        raise httpx2.LocalProtocolError("A header has more than one line.")
    return head + b"\r\n\r\n"
