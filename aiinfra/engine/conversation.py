"""One process in a container that talks to what can be reached there, again and again.

A `docker exec` for each word takes a tenth of a second and as much of a processor. This one ends with its standard
input, so also with this process, however that ends.
"""

import os
import selectors
import subprocess
import time
import uuid
from threading import Lock
from typing import IO, cast

from aiinfra.engine.refusals import no_docker

# $0 is what ends an answer. One line says where to, the seconds, and how many bytes follow.
_ASK = r"""
while read -r host port seconds size; do
  head -c "$size" | timeout "$seconds" bash -c 'exec 3<>"/dev/tcp/$0/$1" && cat >&3 && cat <&3' "$host" "$port" 2>&1
  printf '\n%s %d\n' "$0" "$?"
done
"""
_PIECE = 65536

# What `timeout` ends with when it has ended the command: bash complained of nothing.
_TIMED_OUT = 124


class Conversation:
    """Sends text to an address that a container reaches, and returns what came back. Threads take turns."""

    def __init__(self, container: str) -> None:
        self._container = container
        self._process: subprocess.Popen[bytes] | None = None
        self._end = uuid.uuid4().hex.encode()
        self._lock = Lock()

    def ask(self, host: str, port: int, text: str, *, seconds: float, beyond: float) -> str:
        """Return the answer, read until the other side closes; it gets `seconds`.

        Raises OSError with the reason where there is none, TimeoutError when Docker is silent for `beyond` longer.
        """
        question = text.encode()
        with self._lock:
            try:
                process = self._opened()
                _write(process, f"{host} {port} {seconds:.0f} {len(question)}\n".encode() + question)
                answer, code = self._answer(process, time.monotonic() + seconds + beyond)
            except BaseException:
                # Whatever still comes belongs to no later question.
                self.close()
                raise
        if code != 0:
            raise OSError("no answer in time" if code == _TIMED_OUT else answer.strip().rpartition(": ")[2])
        return answer

    def close(self) -> None:
        """End the process; a further question begins another one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _opened(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            command = ["docker", "exec", "-i", self._container, "bash", "-c", _ASK, self._end.decode()]
            pipe = subprocess.PIPE
            try:
                # Ctrl-C is for us alone: undoing what was begun needs the edge.
                self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
            except (FileNotFoundError, PermissionError) as error:
                raise no_docker() from error
        return self._process

    def _answer(self, process: "subprocess.Popen[bytes]", until: float) -> tuple[str, int]:
        output, found = cast("IO[bytes]", process.stdout).fileno(), b""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while not (found.endswith(b"\n") and self._end in found[-64:]):
                if not selector.select(max(until - time.monotonic(), 0)):
                    raise TimeoutError
                piece = os.read(output, _PIECE)
                if not piece:
                    raise OSError(_complaint(process, found))
                found += piece
        answer, _, code = found.rpartition(b"\n" + self._end + b" ")
        return answer.decode("utf-8", "replace"), int(code)


def _write(process: "subprocess.Popen[bytes]", question: bytes) -> None:
    pipe = cast("IO[bytes]", process.stdin)
    try:
        pipe.write(question)
        pipe.flush()
    except BrokenPipeError as error:
        raise OSError(_complaint(process, b"")) from error


def _complaint(process: "subprocess.Popen[bytes]", said: bytes) -> str:
    """Return why a `docker exec` ended; its outputs are closed by then. One that cannot begin tells it in `said`."""
    words = cast("IO[bytes]", process.stderr).read() or (said if said.startswith(b"OCI runtime") else b"")
    text = words.decode("utf-8", "replace").strip().removesuffix(": unknown")
    return text.rpartition(": ")[2] or "the process in its container has ended"
