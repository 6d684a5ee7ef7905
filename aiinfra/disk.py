"""Files on the disk: written whole or not at all, readable by those who need them, with faults put into words."""

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra.errors import AiinfraError, Code

if TYPE_CHECKING:
    from aiinfra.rendering import RenderedFile

# Containers of a stack made by root run as this user; those of anybody else as that user.
UNPRIVILEGED = 65532

# How the name of a file or folder ends that is not whole yet, or is thrown away in a moment.
UNFINISHED = ".unfinished~"


def runtime_user() -> str:
    """Return the "uid:gid" of our containers: it must be able to read secret files that are 0400."""
    uid = os.getuid()
    return f"{UNPRIVILEGED}:{UNPRIVILEGED}" if uid == 0 else f"{uid}:{os.getgid()}"


def write(path: Path, text: str, *, mode: int = 0o644, owner: int | None = None) -> None:
    """Write a file whole or not at all: a temporary one, synced, renamed over it.

    Raises AiinfraError (DISK_FULL or FILE_UNWRITABLE); what was there before is then still there.
    """
    import tempfile  # noqa: PLC0415 - not for commands that only look

    with translated(path):
        path = path.resolve()  # a link stays a link
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
                os.fchmod(descriptor, mode)
                if owner is not None:
                    os.fchown(descriptor, owner, owner)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def sweep(paths: Iterable[Path]) -> None:
    """Remove files and folders that a killed command did not finish; what cannot be removed stays."""
    for path in list(paths):
        if path.is_dir():
            import shutil  # noqa: PLC0415 - hardly ever

            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def hand_over(path: Path, text: str, *, secret: bool) -> None:
    """Write a file that a container reads; a secret one is for the user of our containers only."""
    owner = UNPRIVILEGED if secret and os.getuid() == 0 else None
    write(path, text, mode=0o400 if secret else 0o644, owner=owner)


def write_files(root: Path, files: "Iterable[RenderedFile]") -> None:
    """Write rendered files below `root`, each readable by the containers that need it and nobody else."""
    owner = UNPRIVILEGED if os.getuid() == 0 else None
    for file in files:
        path = root / file.path
        if file.live and path.exists():
            continue
        with translated(path):
            path.parent.mkdir(exist_ok=True)
            if path.parent != root:
                # Containers run as other users; the folder above is private.
                path.parent.chmod(0o700 if file.secret else 0o755)
            if owner is not None and file.secret:
                os.chown(path.parent, owner, owner)
        if _differs(path, file.text):
            hand_over(path, file.text, secret=file.secret)


def texts(folder: Path) -> dict[str, str]:
    """Return the files of a folder by name, those that can be read and are text."""
    found = {}
    for path in folder.glob("[!.]*"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found[path.name] = path.read_bytes().decode()
    return found


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() != text.encode()
    except OSError:
        return True


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Put a fault of the disk into words."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> AiinfraError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AiinfraError(
            Code.DISK_FULL,
            f"no space is left on the disk of {path.parent}",
            hint="free some space and run the same command again; what ran before still runs",
        )
    return AiinfraError(
        Code.FILE_UNWRITABLE,
        f"{path}: {error.strerror or error}",
        hint="make the stack directory writable for you, or use another with -C DIR",
    )
