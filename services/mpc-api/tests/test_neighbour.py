"""The transport to the gateway, against a server that says exactly what a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx2
import pytest

from mpc_api.neighbour import Neighbour

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Server:
    """Gives one of `answers` to each request, the last one again and again; None is silence.

    With `closes` it hangs up after an answer.
    """

    def __init__(self, *answers: bytes | None, closes: bool) -> None:
        self.answers = list(answers)
        self.closes = closes
        self.connections = 0
        self.met, self.left = asyncio.Event(), asyncio.Event()
        self.served: set[asyncio.Task[None]] = set()

    async def all_left(self) -> None:
        if self.served:
            await asyncio.wait(self.served)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.met.set()
        task = asyncio.current_task()
        assert task is not None
        self.served.add(task)
        try:
            while await _request(reader):
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is not None:
                    writer.write(answer)
                if self.closes:
                    break
        finally:
            self.left.set()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _request(reader: asyncio.StreamReader) -> bool:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0))
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return True


@asynccontextmanager
async def client_of(server: Server, seconds: float = 60) -> AsyncIterator[httpx2.AsyncClient]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        async with httpx2.AsyncClient(transport=Neighbour(url), base_url=url, timeout=seconds) as client:
            yield client
    finally:
        listening.close()
        await server.all_left()


def said(*answers: bytes | None, times: int = 1, closes: bool = False, seconds: float = 60) -> tuple[list[str], int]:
    """The texts of `times` answers, one after the other, and how many connections they took."""

    async def run() -> tuple[list[str], int]:
        server = Server(*answers, closes=closes)
        async with client_of(server, seconds) as client:
            texts = []
            for _ in range(times):
                texts.append((await client.post("/chat", content=b"{}")).text)
                if closes:
                    await server.all_left()
        return texts, server.connections

    return asyncio.run(run())


def test_one_connection_carries_one_request_after_the_other() -> None:
    assert said(OK, times=3) == (["ok"] * 3, 1)


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        (OK, True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", False),
        (b"HTTP/1.1 200 OK\r\n\r\nok", True),
    ],
)
def test_an_answer_may_end_the_connection(answer: bytes, *, closes: bool) -> None:
    assert said(answer, times=2, closes=closes) == (["ok"] * 2, 2)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + OK,
    ],
)
def test_every_form_of_an_answer_is_read(answer: bytes) -> None:
    assert said(answer, times=2) == (["ok"] * 2, 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
def test_half_an_answer_is_none(answer: bytes) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        said(answer, closes=True)


def test_silence_ends_with_the_time_and_the_connection() -> None:
    async def run() -> int:
        server = Server(None, OK, closes=False)
        async with client_of(server, 0.2) as client:
            with pytest.raises(httpx2.ReadTimeout):
                await client.post("/chat", content=b"{}")
            assert (await client.post("/chat", content=b"{}", timeout=60)).text == "ok"
        return server.connections

    assert asyncio.run(run()) == 2


def test_nobody_there() -> None:
    async def run() -> None:
        async with httpx2.AsyncClient(transport=Neighbour("http://127.0.0.1:1"), timeout=60) as client:
            await client.get("http://127.0.0.1:1/")

    with pytest.raises(httpx2.ConnectError):
        asyncio.run(run())


def test_a_stream_comes_piece_by_piece_and_leaving_it_hangs_up() -> None:
    async def run() -> bytes:
        server = Server(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", closes=False)
        async with client_of(server) as client:
            async with client.stream("POST", "/chat", content=b"{}") as answer:
                piece = await anext(answer.aiter_raw())
            async with asyncio.timeout(60):
                await server.left.wait()
        return piece

    assert asyncio.run(run()) == b"ok"


def test_what_is_given_up_hangs_up_too() -> None:
    async def run() -> None:
        server = Server(None, closes=False)
        async with client_of(server) as client:
            asked = asyncio.create_task(client.post("/chat", content=b"{}"))
            async with asyncio.timeout(60):
                await server.met.wait()
                asked.cancel()
                await server.left.wait()

    asyncio.run(run())


@pytest.mark.parametrize("header", ["a\r\nb: c", "a\nb: c"])
def test_a_header_cannot_bring_another_one(header: str) -> None:
    async def run() -> None:
        async with client_of(Server(OK, closes=False)) as client:
            await client.get("/", headers=[(b"x", header.encode())])

    with pytest.raises(httpx2.LocalProtocolError):
        asyncio.run(run())
