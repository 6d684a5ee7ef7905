"""A second, real Docker engine for tests that act on an engine as a whole: it may be filled, frozen and restarted.

It has a network namespace of its own, so the host ports that its containers publish are reachable only in there:
`engine.inside([...])` is the command that runs there. `engine.environment` makes any command talk to it. Needs root.
It reaches no network; images come from the shared engine with `engine.load(...)`, or from `engine.tiny(...)`.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

# One folder per engine, named in the command line of every process that belongs to it.
ROOT = Path(tempfile.gettempdir()) / "aiinfra-private-engines"
DEADLINE = 120.0


@dataclass
class PrivateEngine:
    """One engine. `disk` (bytes) puts its images, containers and volumes on a disk of that size."""

    folder: Path
    options: Sequence[str] = ()
    disk: int | None = None
    _child: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    @property
    def environment(self) -> dict[str, str]:
        """What makes `docker` and `aiinfra` talk to this engine."""
        return {"DOCKER_HOST": self.host}

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def inside(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs where this engine's published ports are, on 127.0.0.1."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *command]

    def docker(self, *arguments: str, check: bool = True, text: str = "") -> str:
        done = subprocess.run(
            ["docker", "--host", self.host, *arguments], input=text, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def images(self) -> set[str]:
        return set(self.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split())

    def load(self, *images: str) -> None:
        """Copy images from the shared engine, those that are not here yet."""
        missing = [one for one in images if not self.docker("image", "inspect", one, check=False).strip("[] \n")]
        if missing:
            with subprocess.Popen(["docker", "save", *missing], stdout=subprocess.PIPE) as save:
                loading = ["docker", "--host", self.host, "load", "--quiet"]
                subprocess.run(loading, stdin=save.stdout, check=True, capture_output=True)

    def tiny(self, tag: str, *, size: int = 1000, labels: Mapping[str, str] | None = None) -> None:
        """Make an image that holds one file of `size` bytes; its containers can be created, not started."""
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as archive:
            member = tarfile.TarInfo("file")
            member.size = size
            archive.addfile(member, io.BytesIO(uuid.uuid4().bytes + os.urandom(size)))
        changes = [f"--change=LABEL {key}={json.dumps(value)}" for key, value in (labels or {}).items()]
        subprocess.run(
            ["docker", "--host", self.host, "import", "--change=CMD /file", *changes, "-", tag],
            input=content.getvalue(),
            check=True,
            capture_output=True,
        )

    # Its life

    def start(self) -> None:
        """Start the engine and wait until it answers; what it remembers from before is there again."""
        if not self.data.exists():
            self._prepare()
        with (self.folder / "log").open("ab") as log:
            child = subprocess.Popen(
                self.inside(self._command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._child = child
        until(lambda: self._answers() or child.poll() is not None, f"the engine {self.name} answers")
        assert child.poll() is None, (self.folder / "log").read_text()[-3000:]

    def stop(self) -> None:
        """End the engine as a shutdown does: its containers are stopped too, but not removed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the engine like a crash; its containers go on."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Make the engine hang: its socket accepts, and nobody answers."""
        assert self._child
        self._child.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._child.send_signal(signal.SIGCONT)

    def clear(self) -> None:
        """Remove every container, network and volume that is on it; its images stay."""
        for listing, removal in (
            (["ps", "-aq"], ["rm", "-f", "-v"]),
            (["network", "ls", "-q", "--filter", "type=custom"], ["network", "rm"]),
            (["volume", "ls", "-q"], ["volume", "rm", "-f"]),
        ):
            if found := self.docker(*listing).split():
                self.docker(*removal, *found)

    def destroy(self) -> None:
        """End every process that belongs to this engine and remove all that it kept."""
        for one in self._processes():
            with contextlib.suppress(psutil.Error):
                one.kill()
        if self._child is not None:
            self._child.wait(timeout=DEADLINE)
        until(lambda: not self._processes(), f"the processes of {self.name} end")
        for line in reversed(Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()):
            if line.split()[1].startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", line.split()[1]], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prepare(self) -> None:
        self.data.mkdir(parents=True)
        if self.disk is not None:
            image = self.folder / "disk"
            with image.open("wb") as file:
                file.truncate(self.disk)
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
            subprocess.run(["mount", "-o", "loop", str(image), str(self.data)], check=True)
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)

    @property
    def _command(self) -> list[str]:
        folder = self.folder
        # A containerd of the whole machine is shared with its own engine: namespaces keep them apart.
        apart = [f"--containerd-namespace={self.name}", f"--containerd-plugins-namespace={self.name}-plugins"]
        where = [f"--data-root={self.data}", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
        return ["dockerd", "--config-file=/dev/null", f"--host={self.host}", *where, *apart, *self.options]

    def _answers(self) -> bool:
        ask = ["docker", "--host", self.host, "version", "--format", "{{.Server.Version}}"]
        return subprocess.run(ask, capture_output=True, check=False, timeout=60).returncode == 0

    def _end(self, number: signal.Signals) -> None:
        assert self._child
        self._child.send_signal(number)
        self._child.wait(timeout=DEADLINE)

    def _processes(self) -> list[psutil.Process]:
        """Return the engine, its containerd, their children, and the shims with the containers in them."""
        found: dict[int, psutil.Process] = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                program = Path(words[0]).name if words else ""
                ours = program.startswith(("dockerd", "containerd")) and f"{self.folder}/" in " ".join(words)
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found |= {one.pid: one for one in (process, *process.children(recursive=True))}
        return list(found.values())


def until(holds: Callable[[], bool], what: str, *, seconds: float = DEADLINE) -> None:
    """Wait for something to be true; generous, because a test must not depend on the machine's speed."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


@contextlib.contextmanager
def started(*options: str, disk: int | None = None) -> Iterator[PrivateEngine]:
    """Run an engine of its own; `options` are dockerd's, for example an address pool."""
    _sweep()
    engine = PrivateEngine(ROOT / f"aiinfra-{os.getpid()}-{uuid.uuid4().hex[:6]}", options, disk)
    try:
        engine.start()
        yield engine
    finally:
        engine.destroy()


def _sweep() -> None:
    """Remove the engines of test runs that died."""
    for folder in ROOT.glob("aiinfra-*-*"):
        if not psutil.pid_exists(int(folder.name.split("-")[1])):
            PrivateEngine(folder).destroy()


@pytest.fixture(scope="session")
def private_engine() -> Iterator[PrivateEngine]:
    """One engine for all tests of a run that need one; every test leaves it running, with nothing of its own on it."""
    with started() as engine:
        yield engine
