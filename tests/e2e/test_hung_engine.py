"""An engine that stops answering in the middle of a change."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli

ENGINE = "/var/run/docker.sock"


class Freezer:
    """The real engine behind a socket that lets everything through until a request with `word`, then nothing more."""

    def __init__(self, path: Path, word: bytes) -> None:
        self.word, self.frozen, self._open = word, threading.Event(), list[socket.socket]()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                if self.frozen.is_set():
                    continue
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(ENGINE)
                self._open.append(engine)
                for source, sink in ((client, engine), (engine, client)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.word in data:
                    self.frozen.set()
                if self.frozen.is_set():
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for one in (self._listener, *self._open):
            one.close()


@pytest.fixture(name="freezer")
def _freezer(tmp_path: Path) -> Iterator[Freezer]:
    one = Freezer(tmp_path / "engine.sock", b"/containers/create")
    yield one
    one.close()


def test_an_engine_that_hangs_during_a_change_is_noticed_and_the_next_up_finishes_the_job(
    cli: Cli, freezer: Freezer, tmp_path: Path
) -> None:
    error = cli.fails("up", exit_code=4, DOCKER_HOST=f"unix://{tmp_path}/engine.sock")
    assert freezer.frozen.is_set()
    assert error["code"] == "DOCKER_STOPPED"
    assert cli.run("down").returncode == 0
