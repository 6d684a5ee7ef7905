"""A company's network: a package index with its own CA and a password, behind a proxy with a password.

Both listen on the address under which a build sees this machine, and remember what they were asked.
"""

import base64
import gzip
import select
import socket
import ssl
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

# Seconds without a byte after which a connection is given up.
_SILENCE = 30.0
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Account:
    user: str
    password: str

    @property
    def url_part(self) -> str:
        return f"{self.user}:{self.password}@"

    @property
    def basic(self) -> str:
        """The credentials as HTTP sends them (RFC 7617)."""
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class Asked:
    """One request: a path for the index, `host:port` for the proxy."""

    target: str
    allowed: bool


class _Server(ThreadingHTTPServer):
    def __init__(self, address: str, account: Account, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__((address, 0), handler)
        self.account = account
        self.asked: list[Asked] = []

    @property
    def location(self) -> str:
        return f"{self.server_address[0]!s}:{self.server_port}"

    def admits(self, target: str, header: str | None) -> bool:
        self.asked.append(Asked(target, allowed=header == f"Basic {self.account.basic}"))
        return self.asked[-1].allowed

    @contextmanager
    def serving(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class PackageIndex(_Server):
    """The simple pages (PEP 503) of a folder of wheels, over HTTPS, below a path of its own.

    That path is new each time, so that nothing in pip's cache can have come from here before.
    """

    def __init__(self, address: str, account: Account, wheels: Path, context: ssl.SSLContext, path: str) -> None:
        super().__init__(address, account, _IndexHandler)
        self.path = path
        self.refusals: list[str] = []
        self._context = context
        self._wheels = {wheel.name: wheel for wheel in wheels.glob("*.whl")}

    @property
    def url(self) -> str:
        return f"https://{self.account.url_part}{self.location}/{self.path}/simple/"

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        connection.settimeout(_SILENCE)
        try:
            return self._context.wrap_socket(connection, server_side=True), address
        except ssl.SSLError as error:
            self.refusals.append(error.reason)
            raise

    def page(self, path: str) -> bytes | None:
        """Return what stands at a path: the links of one project, or a wheel."""
        folder, _, name = path.strip("/").rpartition("/")
        if folder == f"{self.path}/files" and name in self._wheels:
            return self._wheels[name].read_bytes()
        if folder == f"{self.path}/simple":
            links = (f'<a href="../../files/{wheel}">{wheel}</a>' for wheel in self._wheels if _project(wheel) == name)
            return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
        return None


def _project(wheel: str) -> str:
    return wheel.split("-", maxsplit=1)[0].replace("_", "-").replace(".", "-").lower()


class _Handler(BaseHTTPRequestHandler):
    timeout = _SILENCE

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        pass


class _IndexHandler(_Handler):
    server: PackageIndex

    def do_GET(self) -> None:
        if not self.server.admits(self.path, self.headers.get("Authorization")):
            self.send_error(HTTPStatus.UNAUTHORIZED)
            return
        body = self.server.page(self.path)
        if body is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/zip" if self.path.endswith(".whl") else "text/html")
        self.send_header("Content-Length", str(len(body)))
        # Or every run leaves its own copy of the wheels in the cache that all builds share.
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


class ForwardProxy(_Server):
    """Tunnels for those who have the password (CONNECT, RFC 9110, 9.3.6)."""

    def __init__(self, address: str, account: Account) -> None:
        super().__init__(address, account, _ProxyHandler)

    @property
    def url(self) -> str:
        return f"http://{self.account.url_part}{self.location}"


class _ProxyHandler(_Handler):
    server: ForwardProxy

    def do_CONNECT(self) -> None:
        if not self.server.admits(self.path, self.headers.get("Proxy-Authorization")):
            self.send_error(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), _SILENCE) as upstream:
            self.send_response(HTTPStatus.OK)
            self.end_headers()
            with suppress(OSError):
                _carry(self.connection, upstream)


def _carry(left: socket.socket, right: socket.socket) -> None:
    other = {left: right, right: left}
    while ready := select.select(list(other), [], [], _SILENCE)[0]:
        for source in ready:
            data = source.recv(1 << 16)
            if not data:
                return
            other[source].sendall(data)


@contextmanager
def command_lines(interval: float = 0.05) -> Iterator[set[str]]:
    """Collect the command lines of all processes of this machine, those inside of containers too."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(interval):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def found_in_image(image: str, needles: Mapping[str, bytes]) -> set[str]:
    """Return which of `needles` stand in anything an image is made of: every layer, configuration and history."""
    found: set[str] = set()
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as save:
        assert save.stdout is not None
        with tarfile.open(fileobj=save.stdout, mode="r|") as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    found |= _found(_unpacked(cast("BufferedReader", file)), needles)
    assert save.returncode == 0
    return found


def _unpacked(file: BufferedReader) -> IO[bytes]:
    # The classic image store saves layers as they are, containerd's as it keeps them.
    return cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if file.peek(2)[:2] == b"\x1f\x8b" else file


def _found(file: IO[bytes], needles: Mapping[str, bytes]) -> set[str]:
    overlap = max(map(len, needles.values())) - 1
    found: set[str] = set()
    window = b""
    while chunk := file.read(_CHUNK):
        window = window[-overlap:] + chunk
        found.update(name for name, needle in needles.items() if needle in window)
    return found
