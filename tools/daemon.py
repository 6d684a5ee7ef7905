"""Start `dockerd` so that it outlives us: by systemd where that runs, in a session of its own elsewhere."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from steps import StopError, run

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = Path("/var/log/dockerd.log")
LOG_LINES = 15
DEADLINE = 60.0
POLL = 0.1
# pid file -> the program it must belong to
PID_FILES = {
    Path("/var/run/docker.pid"): "dockerd",
    Path("/run/docker/containerd/containerd.pid"): "containerd",
}
# A containerd of the system's own; dockerd waits in vain for one that left its socket behind.
CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")


def start(answers: Callable[[], bool], *, deadline: float = DEADLINE) -> None:
    """Start the engine and return when `answers()`; StopError with its last words when it does not."""
    since = LOG.stat().st_size if LOG.exists() else 0
    if Path("/run/systemd/system").exists():
        run("systemctl", "start", "docker")
        child = None
    else:
        child = None if sweep() else launch()
    until = time.monotonic() + deadline
    while not answers():
        if child is not None and child.poll() is not None:
            raise StopError(f"dockerd ended with status {child.returncode}; its last words", last_words(since))
        if time.monotonic() > until:
            raise StopError(f"dockerd does not answer after {deadline:g} s; its last words", last_words(since))
        time.sleep(POLL)


def sweep() -> bool:
    """Remove what dead processes left behind; whether a dockerd is alive."""
    for path, program in PID_FILES.items():
        if path.exists() and not alive(path, program):
            path.unlink()
    if CONTAINERD_SOCKET.is_socket() and not listens(CONTAINERD_SOCKET):
        CONTAINERD_SOCKET.unlink()
    return any(alive(path, program) for path, program in PID_FILES.items() if program == "dockerd")


def alive(pid_file: Path, program: str) -> bool:
    """Whether `pid_file` names a running `program`: neither a stranger with its number nor a zombie."""
    try:
        stat = Path(f"/proc/{int(pid_file.read_text())}/stat").read_text()
    except (OSError, ValueError):
        return False
    return re.search(rf"\({program}\) [^ZX]", stat) is not None


def listens(path: Path) -> bool:
    """Whether somebody accepts connections at a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def launch() -> subprocess.Popen[bytes]:
    """Run dockerd in its own session, so that no signal to our terminal or group reaches it."""
    with LOG.open("ab") as log:
        return subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
        )


def last_words(since: int) -> str:
    """The end of the engine's log after byte `since`, without its chatter of level info."""
    if not LOG.exists():
        return "see: journalctl -u docker"
    with LOG.open("rb") as log:
        log.seek(since)
        lines = log.read().decode(errors="replace").splitlines()
    grave = [line for line in lines if "level=info" not in line]
    return "\n".join([*grave[-LOG_LINES:], f"(the whole log: {LOG})"])
