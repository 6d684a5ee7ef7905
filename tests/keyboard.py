"""A command in a terminal of its own: what a user sees on the screen, and keys that a user presses."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyte

CTRL_C = "\x03"
PATIENCE = 90.0


class Terminal:
    """A running command; `screen()` is what its terminal shows at the moment."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int, columns: int, rows: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""

    def press(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    def screen(self) -> str:
        """Return the text on the screen, without blanks at the ends of lines and of the screen."""
        self._read(0)
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip("\n")

    def characters(self) -> pyte.Screen:
        """Return the screen with the colours of every character."""
        self._read(0)
        return self._screen

    def wait_for(self, text: str, patience: float = PATIENCE) -> str:
        """Return the screen as soon as `text` stands on it; fails after `patience` seconds."""
        deadline = time.monotonic() + patience
        while text not in (shown := self.screen()):
            assert time.monotonic() < deadline, f"{text!r} did not appear; the screen:\n{shown}"
            if not self._read(0.2) and self.process.poll() is not None:
                shown = self.screen()
                assert text in shown, f"the command ended without {text!r}; the screen:\n{shown}"
                return shown
        return shown

    def wait(self, patience: float = PATIENCE) -> int:
        """Return the exit code, once the command has ended."""
        deadline = time.monotonic() + patience
        while self._read(0.2) or self.process.poll() is None:
            assert time.monotonic() < deadline, f"the command goes on; the screen:\n{self.screen()}"
        return self.process.wait()

    def _read(self, patience: float) -> bool:
        found = False
        while select.select([self._descriptor], [], [], patience)[0]:
            try:
                chunk = os.read(self._descriptor, 65536)
            except OSError:  # Linux says EIO when nobody has the other end open any more.
                chunk = b""
            if not chunk:
                break
            found, patience = True, 0
            self.written += chunk
            self._stream.feed(chunk)
        return found


@contextmanager
def terminal(
    command: Sequence[str | Path],
    *,
    directory: Path,
    environment: Mapping[str, str],
    columns: int = 120,
    rows: int = 40,
) -> Iterator[Terminal]:
    """Run a command in a new terminal; it is killed at the end, if it still runs then."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        # `setsid --ctty`: Ctrl-C reaches a command through its controlling terminal only.
        ["setsid", "--ctty", "--wait", *map(str, command)],
        cwd=directory,
        env={**environment, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours, columns, rows)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        os.close(ours)
        process.wait()
