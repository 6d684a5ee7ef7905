"""The file that `backup` writes: a gzipped tar with a manifest first, and nothing that the manifest does not list."""

import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from aiinfra.errors import AiinfraError, Code

FORMAT = 1
MANIFEST, DATA, SETTINGS, KEYS = "manifest.json", "redis.rdb", "settings/", "keys"

# What may be in an archive; anything else, `../` and absolute paths with it, is refused.
_NAME = re.compile(r"redis\.rdb|keys|settings/aiinfra\.yaml|settings/litellm/[A-Za-z0-9][\w.-]*\.yaml(\.j2)?")
_SMALL = 1_000_000
_FILES = 500
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Archive:
    """One that was read and found whole. `files` are on disk, below a folder of the caller's."""

    stack: str
    created: str
    version: str
    keys: int
    files: Mapping[str, Path]


def write(path: Path, manifest: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Write an archive whole or not at all, readable by its owner only. Raises OSError."""
    listed = {name: {"size": file.stat().st_size, "sha256": _digest(file)} for name, file in files.items()}
    text = json.dumps({"tool": "aiinfra", "format": FORMAT, **manifest, "files": listed}, indent=2).encode()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as archive:
                member = tarfile.TarInfo(MANIFEST)
                member.size, member.mode = len(text), 0o600
                archive.addfile(member, io.BytesIO(text))
                for inner, file in files.items():
                    _add(archive, inner, file)
            raw.flush()
            os.fsync(raw.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read(path: Path, folder: Path, *, largest: int) -> Archive:
    """Check an archive as a whole and unpack it into `folder`, an empty one. `largest` are the bytes its data may have.

    Raises AiinfraError (BACKUP_INVALID) for everything that is not a whole backup of ours.
    """
    try:
        with tarfile.open(path, mode="r|gz") as archive:
            manifest = _manifest(path, archive)
            files = {}
            # Not `for member in archive`: that begins with the manifest again.
            while (member := archive.next()) is not None:
                files[member.name] = _unpack(
                    path, archive, member, listed=manifest["files"], folder=folder, largest=largest
                )
    except (tarfile.TarError, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise invalid(path, f"it is damaged, or no backup: {error}") from error
    except OSError as error:
        if error.errno is None:  # gzip's own
            raise invalid(path, f"it is damaged, or no backup: {error}") from error
        raise
    if absent := sorted(set(manifest["files"]) - set(files)):
        raise invalid(path, f"{absent[0]} is missing in it")
    return Archive(manifest["stack"], manifest["created"], manifest["version"], manifest["keys"], files)


def invalid(path: Path, reason: str, hint: str = "use a file that `aiinfra backup` wrote") -> AiinfraError:
    return AiinfraError(Code.BACKUP_INVALID, f"{path}: {reason}", hint=f"{hint}; nothing was touched")


def _manifest(path: Path, archive: tarfile.TarFile) -> Mapping[str, Any]:
    first = archive.next()
    content = archive.extractfile(first) if first and first.isreg() and first.name == MANIFEST else None
    if first is None or content is None or first.size > _SMALL:
        raise invalid(path, "it is no backup of aiinfra: it does not begin with a manifest")
    try:
        data = json.loads(content.read())
        if data["tool"] != "aiinfra":
            raise invalid(path, f"it is a file of {data['tool']}")
        if data["format"] > FORMAT:
            newer = f"a newer aiinfra ({data['version']}) wrote it, in format {data['format']}; this one reads {FORMAT}"
            raise invalid(path, newer, "update aiinfra")
        shape = {"stack": str, "created": str, "version": str, "keys": int, "files": dict}
        if not all(isinstance(data[name], kind) for name, kind in shape.items()) or len(data["files"]) > _FILES:
            raise invalid(path, "its manifest is wrong")
        for one in data["files"].values():
            if not (isinstance(one["size"], int) and isinstance(one["sha256"], str)):
                raise invalid(path, "its manifest is wrong")
    except (ValueError, KeyError, TypeError) as error:
        raise invalid(path, f"its manifest is wrong: {type(error).__name__}: {error}") from error
    found: Mapping[str, Any] = data
    return found


def _unpack(
    path: Path,
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    *,
    listed: Mapping[str, Any],
    folder: Path,
    largest: int,
) -> Path:
    name = member.name
    if name not in listed or not _NAME.fullmatch(name) or not member.isreg():
        raise invalid(path, f"it holds {name!r}, which no backup has")
    target = folder / name.replace("/", "_")
    allowed = largest if name == DATA else _SMALL
    if target.exists() or member.size != listed[name]["size"]:
        raise invalid(path, f"{name} in it is not what its manifest says")
    if member.size > allowed:
        raise invalid(
            path,
            f"{name} in it has {member.size} bytes, and at most {allowed} are allowed here",
            "raise services.redis.memory in aiinfra.yaml" if name == DATA else "use a file that `aiinfra backup` wrote",
        )
    content = archive.extractfile(member)
    digest = hashlib.sha256()
    with target.open("xb") as file:
        while content and (chunk := content.read(_CHUNK)):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != listed[name]["sha256"]:
        raise invalid(path, f"{name} in it is damaged: its checksum is wrong")
    return target


def _add(archive: tarfile.TarFile, name: str, file: Path) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = file.stat().st_size, 0o600
    with file.open("rb") as content:
        archive.addfile(member, content)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return _hash(file)


def _hash(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
