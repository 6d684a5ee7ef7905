"""The real engine, until it hangs."""

import contextlib
import socket
import threading
from pathlib import Path

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
