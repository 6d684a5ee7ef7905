"""One request and its answer, as far as every layer needs to know them."""

import os
import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field

from mpc_api.keys import Key

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


@dataclass(slots=True)
class Head:
    """The request headers that anything depends on, read once."""

    authorization: list[bytes] = field(default_factory=list)
    content_length: bytes = b"0"
    content_type: bytes = b""
    cache_control: bytes = b""
    accept: bytes = b""
    request_id: bytes = b""

    @classmethod
    def read(cls, headers: Iterable[tuple[bytes, bytes]]) -> "Head":
        head = cls()
        for name, value in headers:
            if name == b"authorization":
                head.authorization.append(value)
            elif name == b"content-length":
                head.content_length = value
            elif name == b"content-type":
                head.content_type = value
            elif name == b"x-request-id":
                head.request_id = value
            elif name == b"cache-control":
                head.cache_control += b"," + value
            elif name == b"accept":
                head.accept += b"," + value
        return head


@dataclass(slots=True)
class Exchange:
    """At `scope["state"]["exchange"]`; `fields` go into its log line, `headers` into its answer."""

    head: Head
    request_id: str
    begun: float
    status: int = 0
    key: Key | None = None
    endpoint: str = ""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    fields: dict[str, object] = field(default_factory=dict)

    @classmethod
    def begin(cls, headers: Iterable[tuple[bytes, bytes]]) -> "Exchange":
        head = Head.read(headers)
        given = head.request_id
        request_id = given.decode() if _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()
        return cls(head, request_id, time.perf_counter())

    def milliseconds(self) -> float:
        return round((time.perf_counter() - self.begun) * 1000, 1)


# The exchange that the running task is about; None outside of requests.
CURRENT: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
