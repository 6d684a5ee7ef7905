"""Server-sent events, read as a browser would."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2


@dataclass(frozen=True)
class Event:
    name: str
    data: dict[str, Any]


def events(answer: httpx2.Response) -> Iterator[Event]:
    """The events of a streamed answer as they come; comments are passed over."""
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if not line and fields:
            yield Event(fields["event"], json.loads(fields["data"]))
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
