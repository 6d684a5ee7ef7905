"""uvicorn's HTTP protocol, with bounds on the head of a request and refusals in our format."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from mpc_api.boundary import SECURITY_HEADERS
from mpc_api.errors import ApiError, Code
from mpc_api.joined import Joined

MAX_HEAD_BYTES = 32 * 1024


class HeadTooLargeError(Exception):
    """Raised into the parser, so that it stops."""


class BoundedProtocol(HttpToolsProtocol):
    """Refuses heads over `MAX_HEAD_BYTES`, and those not whole `head_timeout` seconds after they began."""

    head_timeout = 10.0

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  # uvicorn's own
        super().__init__(*arguments, **options)
        self._in_head = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        began_before = self._in_head
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._head_timer is None:
            self._start_timer()
        # The parser tells of a header when it is whole: one without an end would only be seen here.
        if began_before:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(_head_too_large())

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()
        self.cycle.transport = Joined(self.transport)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's words say nothing
        too_large = self._head_bytes > MAX_HEAD_BYTES
        self._refuse(_head_too_large() if too_large else ApiError(Code.BAD_REQUEST, "This is not a valid HTTP request"))

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise HeadTooLargeError

    def _too_slow(self) -> None:
        self._head_timer = None
        details = {"timeoutSeconds": self.head_timeout}
        self._refuse(ApiError(Code.REQUEST_TIMEOUT, "The headers did not arrive in time", details))

    def _refuse(self, error: ApiError) -> None:
        self._stop_timer()
        if self.transport.is_closing():
            return
        body = bytes(error.response().body)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *SECURITY_HEADERS,
        ]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([STATUS_LINE[error.status], *lines, b"\r\n", body]))
        self.transport.close()

    def _start_timer(self) -> None:
        self._head_timer = self.loop.call_later(self.head_timeout, self._too_slow)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _head_too_large() -> ApiError:
    limit = {"limitBytes": MAX_HEAD_BYTES}
    return ApiError(Code.HEADERS_TOO_LARGE, f"The headers are larger than {MAX_HEAD_BYTES} bytes", limit)
