"""Two master keys at once, while clients change over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from exchange import BothKeys

OLD, NEW = "sk-old-0123456789", "sk-new-0123456789"


def seen(*headers: tuple[bytes, bytes], kind: str = "http") -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []

    async def proxy(scope: dict[str, Any], _receive: object, _send: object) -> None:
        found.extend(scope.get("headers", ()))

    scope = {"type": kind, "headers": list(headers)} if kind != "lifespan" else {"type": kind}
    asyncio.run(BothKeys(proxy, OLD, NEW)(scope, None, None))
    return found


@pytest.mark.parametrize("name", [b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"x-litellm-api-key"])
@pytest.mark.parametrize("scheme", [b"", b"Bearer ", b"bearer "])
def test_the_previous_key_is_accepted_wherever_a_key_may_stand(name: bytes, scheme: bytes) -> None:
    assert seen((name, scheme + OLD.encode())) == [(name, scheme + NEW.encode())]


def test_the_present_key_a_wrong_key_and_other_headers_are_left_as_they_are() -> None:
    headers = (
        (b"authorization", b"Bearer " + NEW.encode()),
        (b"x-api-key", b"sk-wrong"),
        (b"x-api-key", b"\xff\xfe"),
        (b"x-note", OLD.encode()),
    )
    assert seen(*headers) == list(headers)


def test_the_start_and_end_of_the_application_pass_through() -> None:
    assert seen(kind="lifespan") == []
