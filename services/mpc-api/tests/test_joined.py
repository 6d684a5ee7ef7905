"""Head and body of an answer are one write; nothing waits longer than that takes."""

import asyncio
from collections.abc import Callable

from mpc_api.joined import Joined


class Sent(asyncio.Transport):
    """Keeps what is written to it; None is the end."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes | None] = []

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.writes.append(data)

    def close(self) -> None:
        self.writes.append(None)

    def is_closing(self) -> bool:
        return self.writes[-1:] == [None]


def sent(*steps: Callable[[Joined], None]) -> list[bytes | None]:
    async def run() -> list[bytes | None]:
        transport = Sent()
        joined = Joined(transport)
        for step in steps:
            step(joined)
        await asyncio.sleep(0)
        if not joined.is_closing():
            joined.write(b"later")
        return transport.writes

    return asyncio.run(run())


def test_a_body_that_is_there_goes_with_its_head() -> None:
    assert sent(lambda joined: joined.write(b"head "), lambda joined: joined.write(b"body")) == [b"head body", b"later"]


def test_a_head_does_not_wait_for_a_body_that_comes_later() -> None:
    assert sent(lambda joined: joined.write(b"head")) == [b"head", b"later"]


def test_a_head_goes_before_the_end() -> None:
    assert sent(lambda joined: joined.write(b"head"), lambda joined: joined.close()) == [b"head", None]
