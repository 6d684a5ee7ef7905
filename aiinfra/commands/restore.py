"""`restore`: put a backup back. The old data stay until the new ones are proven, and come back by themselves."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from aiinfra import archive, disk, keys, probes, settings
from aiinfra.archive import Archive
from aiinfra.commands.backup import redis_data, running_redis
from aiinfra.engine import Container, Engine, RedisData
from aiinfra.errors import AiinfraError, Code
from aiinfra.naming import FILE_NAME
from aiinfra.reporting import Event, Report
from aiinfra.stack import REDIS
from aiinfra.target import Target

_BYTES = {"m": 1024**2, "g": 1024**3}
_POLL = 0.3


@dataclass(frozen=True)
class RestoreResult:
    """`keys` is the number of keys that Redis loaded; `running` says whether Redis ran before and runs again.

    `written` are files of the stack directory that were put back, each with its old text beside it;
    `differing` are those that are not as in the backup.
    """

    stack: str
    from_stack: str
    created: str
    keys: int
    running: bool
    written: tuple[str, ...]
    differing: tuple[str, ...]


def restore(
    target: Target, file: Path, *, engine: Engine, report: Report, settings_too: bool = False, keys_too: bool = False
) -> RestoreResult:
    """Put data back, and settings and keys where asked. Only Redis stops for a moment; what did not run stays so.

    Raises AiinfraError: BACKUP_INVALID before anything is touched, RESTORE_FAILED when the old data are back.
    """
    with tempfile.TemporaryDirectory(prefix="aiinfra-restore-") as folder:
        found = _read(target, file, Path(folder))
        kept, hidden = _files(target, found), _keys(target, found)
        wanted = (kept if settings_too else {}) | (hidden if keys_too else {})
        target.refuse_elsewhere([*engine.containers(target.name), *engine.volumes(target.name)])
        with target.workspace.lock("restore", wait=0, on_wait=lambda _: None):
            count, running = _replace(target, found, engine=engine, report=report)
            written = tuple(_put(path, text, private=path in hidden) for path, text in wanted.items())
        differing = tuple(str(path) for path, text in kept.items() if _differs(path, text))
    return RestoreResult(
        target.name, found.stack, found.created, count, running, tuple(filter(None, written)), differing
    )


def volume_at_stake(target: Target, *, engine: Engine) -> list[str]:
    """Return the volumes whose data a restore replaces."""
    return [volume.name for volume in engine.volumes(target.name)]


def _read(target: Target, file: Path, folder: Path) -> Archive:
    memory = target.settings.services.redis.memory
    try:
        found = archive.read(file, folder, largest=int(memory[:-1]) * _BYTES[memory[-1]])
    except OSError as error:
        raise archive.invalid(file, error.strerror or str(error)) from error
    if archive.DATA not in found.files:
        raise archive.invalid(file, "it has no data in it")
    return found


def _files(target: Target, found: Archive) -> dict[Path, str]:
    """Return the settings in a backup by where they belong. Raises BACKUP_INVALID for what could not be used."""
    texts = {}
    for name, path in found.files.items():
        if name.startswith(archive.SETTINGS):
            texts[target.directory / name.removeprefix(archive.SETTINGS)] = path.read_text(encoding="utf-8")
    if (own := target.directory / FILE_NAME) in texts:
        settings.parse(texts[own])
    return texts


def _keys(target: Target, found: Archive) -> dict[Path, str]:
    if archive.KEYS not in found.files:
        return {}
    path = keys.file_for(target.directory, target.name)
    text = found.files[archive.KEYS].read_text(encoding="utf-8")
    keys.parse(text, path.name)
    return {path: text}


def _replace(target: Target, found: Archive, *, engine: Engine, report: Report) -> tuple[int, bool]:
    """Prove the new data beside the old, then exchange them while Redis is stopped."""
    container = running_redis(target, engine)
    data = redis_data(target, engine)
    engine.ensure_volume(data.volume, data.labels)
    report(Event("begin", REDIS, "proving the new data"))
    with found.files[archive.DATA].open("rb") as file:
        count = data.prove(file)
    report(Event("begin", REDIS, f"exchanging the data, {count} keys"))
    if container is None:
        data.swap()
    else:
        _exchange(target, container, data, engine)
    data.forget()
    report(Event("done", REDIS, f"{count} keys"))
    return count, container is not None


def _exchange(target: Target, container: Container, data: RedisData, engine: Engine) -> None:
    swapped = False
    try:
        engine.halt(container)
        data.swap()
        swapped = True
        engine.start([container])
        _wait(target, engine)
    except BaseException as error:
        if swapped:
            engine.halt(container)
            data.back()
        else:
            data.discard()
        engine.start([container])
        if not isinstance(error, AiinfraError):
            raise
        raise AiinfraError(
            Code.RESTORE_FAILED,
            f"Redis did not come up with the data of the backup: {error.message}",
            hint="the old data are back, and Redis was started with them: see `aiinfra health redis`",
        ) from error


def _wait(target: Target, engine: Engine) -> None:
    """Wait until Redis answers with its password. Raises NOT_READY."""
    password = keys.load(target.directory, target.name).get("REDIS_PASSWORD", "")
    deadline = time.monotonic() + target.settings.timeout
    text = "it does not run"
    while time.monotonic() < deadline:
        container = running_redis(target, engine)
        if container is not None:
            seen = probes.redis(engine, container, password)
            if seen.healthy:
                return
            text = seen.text
        elif _gave_up(target, engine):
            break
        time.sleep(_POLL)
    raise AiinfraError(Code.NOT_READY, text)


def _gave_up(target: Target, engine: Engine) -> bool:
    """Whether Redis ended more often than a hiccup explains."""
    return any(one.service == REDIS and one.restarts > 2 for one in engine.containers(target.name))  # noqa: PLR2004


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") != text
    except (OSError, UnicodeDecodeError):
        return True


def _put(path: Path, text: str, *, private: bool) -> str:
    """Write a file that differs, its old text beside it; returns its path, "" when it is as wanted already."""
    if not _differs(path, text):
        return ""
    path.parent.mkdir(exist_ok=True)
    mode = 0o600 if private else 0o644
    if path.exists():
        old = path.read_text(encoding="utf-8", errors="replace")
        disk.write(path.with_name(f"{path.name}.before-restore"), old, mode=mode)
    disk.write(path, text, mode=mode)
    return str(path)
