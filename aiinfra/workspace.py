"""The stack directory on disk: where it is, what is remembered, the lock."""

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra import disk, state
from aiinfra.errors import AiinfraError, Code
from aiinfra.naming import CERTIFICATE, FILE_NAME
from aiinfra.stack import Identity
from aiinfra.state import State

if TYPE_CHECKING:
    from aiinfra.rendering import RenderedFile

FOLDER = ".aiinfra"

_CONTENT_NAMED = re.compile(r".+-[0-9a-f]{12}")


def find(start: Path) -> Path:
    """Return the stack directory that `start` is in, walking up as git does; `start` itself when there is none."""
    start = start.resolve()
    for directory in (start, *start.parents):
        if (directory / FILE_NAME).exists() or any((directory / FOLDER).glob("*/state.json")):
            return directory
    return start


class Workspace:
    """One stack's folder, `.aiinfra/NAME/` in the stack directory."""

    def __init__(self, directory: Path, stack: str) -> None:
        self.directory = directory
        self.stack = stack
        self.root = directory / FOLDER / stack
        self.compose_file = self.root / "compose.yaml"
        self.state_file = self.root / "state.json"
        self.journal_file = self.root / "journal.json"

    @property
    def exists(self) -> bool:
        """Whether the stack was ever applied here. Where that cannot be seen, it is taken to be so."""
        try:
            return self.state_file.exists()
        except OSError:
            return True

    def prepare(self) -> None:
        """Make the folder, private and ignored by git."""
        with disk.translated(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in (self.root.parent, self.root):
                if folder.stat().st_mode & 0o077:
                    folder.chmod(0o700)
            ignore = self.root.parent / ".gitignore"
            if not ignore.exists():
                disk.write(ignore, "*\n")

    def edge_files(self) -> dict[str, str]:
        """Return the files of the edge's folder by name, those that can be read."""
        return disk.texts(self.root / Path(CERTIFICATE).parent)

    def compose_text(self) -> str:
        """Return the rendered compose file; "" when there is none."""
        try:
            return self.compose_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def state(self) -> State | None:
        """Return what is remembered; None when the stack was never applied. Raises STATE_INVALID when damaged."""
        return state.read(self.state_file)

    def save(self, one: State) -> None:
        state.write(self.state_file, one)

    def write_rendered(self, files: "Iterable[RenderedFile]") -> None:
        """Write rendered files; a folder named after its content is left alone when it is already there."""
        disk.write_files(self.root, files)

    def sweep(self, files: "Iterable[RenderedFile]", mounted: Iterable[str] = ()) -> None:
        """Remove content-named folders that are neither of `files` nor `mounted` (paths on the host)."""
        kept = {file.path.split("/")[0] for file in files} | {Path(path).name for path in mounted}
        for path in self.root.iterdir():
            if _CONTENT_NAMED.fullmatch(path.name) and path.is_dir() and path.name not in kept:
                for child in path.iterdir():
                    child.unlink()
                path.rmdir()

    @contextlib.contextmanager
    def lock(self, command: str, *, wait: float, on_wait: Callable[[str], None]) -> Iterator[None]:
        """Hold the stack's lock; a holder that died has let go of it already (flock).

        Waits up to `wait` seconds, calling `on_wait` once with who holds it.
        Raises AiinfraError (STACK_LOCKED) naming pid, command and since when.
        """
        # Its import costs as much as a whole quick command; only those that change something take the lock.
        from filelock import FileLock, Timeout  # noqa: PLC0415

        self.prepare()
        holder_file = self.root / "lock.holder"
        lock = FileLock(self.root / "lock", mode=0o600)
        with disk.translated(self.root):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                on_wait(_holder(holder_file))
                try:
                    lock.acquire(timeout=wait)
                except Timeout as error:
                    raise AiinfraError(
                        Code.STACK_LOCKED,
                        f"the stack '{self.stack}' is held by {_holder(holder_file)}",
                        hint="wait for it to end, or stop it",
                    ) from error
        try:
            self._tidy()
            holder = {"pid": os.getpid(), "command": command, "since": time.strftime("%H:%M:%S")}
            # On a full disk too: what frees space, or ends a stack, must be possible there.
            with contextlib.suppress(AiinfraError):
                disk.write(holder_file, json.dumps(holder))
            yield
        finally:
            with contextlib.suppress(OSError):
                holder_file.unlink()
            lock.release()

    def _tidy(self) -> None:
        """Remove what killed commands had not written to the end; who has the lock is the only one who writes."""
        from aiinfra.keys import file_for  # noqa: PLC0415 - not for commands that only look

        # Eight characters: another stack's file has a longer name, and its own lock.
        half_keys = f".{file_for(self.directory, self.stack).name}.????????{disk.UNFINISHED}"
        disk.sweep((*self.root.rglob(f".*{disk.UNFINISHED}"), *self.directory.glob(half_keys)))


def new_identity(wanted: Mapping[str, int | None], address: str) -> Identity:
    """Return a new stack's identity: the wanted ports, free ones where none is wanted."""
    import secrets  # noqa: PLC0415 - not for commands that only look

    return with_ports(Identity(secrets.token_hex(8), secrets.token_bytes(32), {}, address), wanted, address)


def with_ports(identity: Identity, wanted: Mapping[str, int | None], address: str) -> Identity:
    """Return an identity with the ports that are wanted now; where none is, the one chosen before stays."""
    taken = {port for port in wanted.values() if port}
    ports = {}
    for service, port in wanted.items():
        known = identity.ports.get(service)
        ports[service] = port or (known if known and known not in taken else _free_port(taken))
        taken.add(ports[service])
    return replace(identity, ports=ports, address=address)


def _free_port(taken: set[int]) -> int:
    import socket  # noqa: PLC0415 - as above

    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def repair_permissions(directory: Path, stack: str) -> list[str]:
    """Make key files readable by their owner only; return the names of those that were not."""
    from aiinfra.keys import file_for  # noqa: PLC0415 - as above

    repaired = []
    for path in {directory / ".env", file_for(directory, stack)}:
        if path.is_file() and path.stat().st_mode & 0o077:
            with disk.translated(path):
                path.chmod(0o600)
            repaired.append(path.name)
    return repaired


def _holder(path: Path) -> str:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return f"`aiinfra {data['command']}` (pid {data['pid']}, since {data['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another aiinfra command"
