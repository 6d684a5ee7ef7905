"""A support archive: what somebody who helps needs to see, with every secret taken out."""

import io
import json
import os
import platform
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import yaml

from aiinfra import __version__, disk, keys, workspace
from aiinfra.commands.doctor import DoctorResult
from aiinfra.commands.doctor.finding import Scene
from aiinfra.commands.doctor.redaction import HIDDEN, literals, redacted, spellings, values_of
from aiinfra.errors import AiinfraError
from aiinfra.naming import FILE_NAME
from aiinfra.stack import keeper_password
from aiinfra.state import State
from aiinfra.target import Target

_LOG_LINES = 2000


def write(file: Path, scene: Scene, result: DoctorResult) -> list[str]:
    """Write the archive, readable by its owner only; returns the names in it. Raises AiinfraError (DISK_FULL ...)."""
    known = spellings(_secrets(scene))
    content = io.BytesIO()
    names = []
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in _texts(scene, result):
            data = redacted(text, known).encode()
            member = tarfile.TarInfo(f"aiinfra-doctor/{redacted(name, known)}")
            member.size, member.mode = len(data), 0o600
            archive.addfile(member, io.BytesIO(data))
            names.append(name)
    try:
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_bytes(content.getvalue())
    except OSError as error:
        raise disk.unwritable(file, error) from error
    return names


def _secrets(scene: Scene) -> Iterator[str]:
    """Yield all that is secret here, as far as it can be read."""
    for path in sorted(scene.directory.glob(".env*")):
        text = _read(path)
        yield from values_of(text)
        try:
            yield from keys.parse(text, path.name).values()
        except AiinfraError:
            continue
    for path in sorted((scene.directory / workspace.FOLDER).glob("*/*-secrets*/*")):
        yield _read(path)
    for path in sorted(scene.directory.glob("litellm/*.yaml")):
        try:
            yield from literals(yaml.safe_load(_read(path)))
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
    target = _target(scene)
    state = _tried(target.workspace.state) if target else None
    if isinstance(state, State):
        yield from (state.identity.digest_key.hex(), keeper_password(state.identity))


def _texts(scene: Scene, result: DoctorResult) -> Iterator[tuple[str, str]]:
    yield "findings.json", json.dumps(asdict(result), indent=2)
    yield "versions.json", json.dumps(_versions(scene), indent=2)
    for path in (scene.directory / FILE_NAME, *sorted(scene.directory.glob("litellm/*"))):
        if path.is_file():
            yield f"settings/{path.relative_to(scene.directory)}", _read(path)
    for path in sorted(scene.directory.glob(".env*")):
        yield f"settings/{path.name}.names", "".join(_name_of(line) for line in _read(path).splitlines())
    if target := _target(scene):
        yield from _rendered(target)
        yield from _from_engine(scene, target)


def _rendered(target: Target) -> Iterator[tuple[str, str]]:
    for path in sorted(target.workspace.root.rglob("*")):
        name = str(path.relative_to(target.workspace.root))
        if path.is_file():
            secret = "-secrets" in name or path.name.startswith("lock")
            yield f"rendered/{name}", HIDDEN if secret else _read(path)


def _from_engine(scene: Scene, target: Target) -> Iterator[tuple[str, str]]:
    if scene.engine_fault:
        return
    found = scene.engine.containers(target.name)
    yield "engine/info.json", json.dumps(scene.info, indent=2)
    yield "engine/inspect.json", scene.engine.inspect(found)
    for container in found:
        yield f"logs/{container.name}.log", "\n".join(scene.engine.logs_of(container, _LOG_LINES))


def _versions(scene: Scene) -> dict[str, object]:
    fault = scene.engine_fault
    docker: object = fault.message if fault else asdict(scene.versions)
    ours = {name: "set" for name in os.environ if name.startswith(("AIINFRA_", "DOCKER_", "COMPOSE_"))}
    return {
        "aiinfra": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "docker": docker,
        "variables": ours,
    }


def _name_of(line: str) -> str:
    name, equals, _ = line.partition("=")
    return f"{name.strip()}={HIDDEN}\n" if equals and not line.lstrip().startswith("#") else ""


def _target(scene: Scene) -> Target | None:
    return None if scene.target_fault else scene.target


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _tried(look: Callable[[], object]) -> object:
    try:
        return look()
    except AiinfraError:
        return None
