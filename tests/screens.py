"""What a real terminal shows: a command in tmux, and its screen compared with the one that is kept as a file.

The files have placeholders for what differs from run to run, and are compared word by word: how wide a column is
depends on such values. `--update-golden` rewrites them.
"""

import contextlib
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli

FOLDER = Path(__file__).parent / "e2e" / "screens"
COLUMNS, ROWS = 100, 50
PATIENCE = 300.0

# The screen stays when the command has ended, and Ctrl-C is the command's, not the shell's that waits for it.
_SHELL = 'trap : INT; "$@"; echo $? > "$0.part"; mv "$0.part" "$0"; exec sleep 3600'

_TIME = r"\d+(\.\d+)? (ms|s|min|h|d)\b"
_VARYING = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "YYYY-MM-DDTHH:MM:SSZ"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?Z", "HH:MM:SSZ"),
    (rf"\b{_TIME}( {_TIME})?", "TIME"),
    (r"\b\d+(\.\d+)? [kMG]?B\b", "SIZE"),
    (r"by \S+ \(pid \d+\)", "by PROCESS (pid PID)"),
    (r"\b[0-9a-f]{12,64}\b", "ID"),
    (r"(?<![\d.])(?!127\.)\d+\.\d+\.\d+[\w.+~-]*", "VERSION"),
    (r"(?<=\s)\d+\.\d+(?=\s)", "VERSION"),
    (r"\b\d{5}\b", "PORT"),
)


@dataclass(frozen=True)
class Screen:
    """The terminal of one command, in a tmux of its own."""

    socket: Path
    status: Path

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: C-c, Enter, or a text."""
        self.tmux("send-keys", "-t", "0", *keys)

    def text(self) -> str:
        """Return what stands on the screen; a line that the terminal folded is one."""
        lines = self.tmux("capture-pane", "-p", "-J", "-t", "0").splitlines()
        return "\n".join(line.rstrip() for line in lines).strip("\n")

    def wait_for(self, text: str) -> None:
        self._until(lambda: text in self.text(), f"{text!r} does not appear")

    def wait(self) -> int:
        """Return the exit code, once the command has ended."""
        self._until(self.status.exists, "the command goes on")
        return int(self.status.read_text(encoding="utf-8"))

    def tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self.socket), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def _until(self, holds: Callable[[], bool], fault: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"{fault}; the screen:\n{self.text()}"
            time.sleep(0.1)


@contextmanager
def screen(command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> Iterator[Screen]:
    """Run a command in a terminal of 100 columns; it is killed at the end, if it still runs then."""
    # A socket's path must be short.
    with tempfile.TemporaryDirectory() as folder:
        one = Screen(Path(folder) / "tmux", Path(folder) / "status")
        settings = Path(folder) / "tmux.conf"
        settings.write_text("set -g status off\n", encoding="utf-8")
        server = ["tmux", "-u", "-S", str(one.socket), "-f", str(settings)]
        session = ["new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", str(directory)]
        shell = ["--", "sh", "-c", _SHELL, str(one.status), *command]
        subprocess.run([*server, *session, *shell], env={**environment, "LC_ALL": "C.UTF-8"}, check=True)
        try:
            yield one
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                one.tmux("kill-server")


@contextmanager
def typed(cli: Cli, *arguments: str) -> Iterator[Screen]:
    """`aiinfra` in such a terminal, as a user sees it."""
    environment = {name: value for name, value in cli.variables.items() if name not in ("CI", "NO_COLOR")}
    with screen([str(cli.command), *arguments], directory=cli.directory, environment=environment) as one:
        yield one


@dataclass(frozen=True)
class Screens:
    """The screens that are kept as files; `update` rewrites them."""

    update: bool

    def compare(self, name: str, cli: Cli, shown: str) -> None:
        found, path = plain(shown, cli), FOLDER / f"{name}.txt"
        if self.update:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(f"{found}\n", encoding="utf-8")
        assert words(found) == words(path.read_text(encoding="utf-8")), f"{name}.txt differs; the screen:\n{found}"

    def ended(self, name: str, cli: Cli, *arguments: str, exit_code: int = 0) -> None:
        """Run a command to its end, and compare what stands on the screen then."""
        with typed(cli, *arguments) as one:
            assert one.wait() == exit_code, one.text()
            self.compare(name, cli, one.text())


def plain(shown: str, cli: Cli) -> str:
    """Return a screen with placeholders, as wide as what they stand for where that is wider."""
    text = shown.replace(str(cli.directory), "DIRECTORY").replace(cli.stack, "STACK".ljust(len(cli.stack), "-"))
    for pattern, name in _VARYING:
        text = re.sub(pattern, partial(_filled, name), text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def _filled(name: str, found: re.Match[str]) -> str:
    return name.ljust(len(found[0]))


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


@pytest.fixture
def screens(request: pytest.FixtureRequest) -> Screens:
    return Screens(bool(request.config.getoption("--update-golden")))
