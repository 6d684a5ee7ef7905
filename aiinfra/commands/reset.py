"""`reset`: remove all that there is of a stack, so that the next `up` begins from nothing."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from aiinfra import disk, keys
from aiinfra.commands.down import end, held
from aiinfra.commands.unused import directories, named_in, remembered, workspaces
from aiinfra.engine import Engine, Image
from aiinfra.naming import DEFAULT_STACK
from aiinfra.reporting import Report
from aiinfra.target import Target


@dataclass(frozen=True)
class Doomed:
    """All that a reset removes. `keys_removed` says whether the keys go, too."""

    containers: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    images: tuple[Image, ...]
    files: tuple[Path, ...]
    keys_removed: bool

    @property
    def words(self) -> list[str]:
        return [
            *(f"container {name}" for name in self.containers),
            *(f"network {name}" for name in self.networks),
            *(f"volume {name}, with all the data in it" for name in self.volumes),
            *(f"image {image.tags[0] if image.tags else image.id[7:19]}" for image in self.images),
            *(f"{path}, rendered files and what the stack remembers" for path in self.files),
            *(["the keys of the stack"] if self.keys_removed else []),
        ]


@dataclass(frozen=True)
class ResetResult:
    stack: str
    removed: tuple[str, ...]
    backup: str | None


def look(target: Target, *, engine: Engine, images: bool, keys_too: bool) -> Doomed:
    """Return what there is of a stack. Raises STACK_ELSEWHERE for a stack of another directory."""
    found, data = engine.containers(target.name), engine.volumes(target.name)
    target.refuse_elsewhere([*found, *data])
    estate = engine.estate
    root = target.workspace.root
    containers = {one.name for one in (*found, *estate.containers(target.name))}
    return Doomed(
        tuple(sorted(containers)),
        tuple(sorted(one.name for one in estate.networks(target.name))),
        tuple(one.name for one in data),
        tuple(_images(target, engine)) if images else (),
        (root,) if root.exists() else (),
        keys_removed=keys_too and bool(keys_that_go(target)),
    )


def keys_that_go(target: Target) -> tuple[str, ...]:
    """Return the names of the keys that `--keys` removes: the stack's own in `.env`, all in `.env.NAME`."""
    values = keys.read(keys.file_for(target.directory, target.name))
    own = {key.name for key in keys.OWN_KEYS}
    return tuple(name for name in values if name in own or target.name != DEFAULT_STACK)


def reset(
    target: Target,
    doomed: Doomed,
    *,
    engine: Engine,
    report: Report,
    backup: str | None = None,
    timeout: int | None = None,
) -> ResetResult:
    """Remove it all. Other stacks of the same directory, and everything of others, stay as they are.

    `timeout` is how many seconds a container gets to stop; its own grace period when None.
    """
    gone = keys_that_go(target) if doomed.keys_removed else ()
    with held(target.workspace, "reset", report):
        ended = end(target.workspace, doomed.volumes, engine=engine, report=report, timeout=timeout)
        engine.estate.remove_images(doomed.images)
        if gone:
            _remove_keys(target, gone)
        for path in doomed.files:
            shutil.rmtree(path, ignore_errors=True)
        _remove_empty_folder(target)
    images = (image.tags[0] if image.tags else image.id[7:19] for image in doomed.images)
    things = (*ended.removed, *ended.networks_removed, *ended.volumes_removed, *images, *map(str, doomed.files))
    return ResetResult(target.name, (*things, *(f"{target.keys_file}: {name}" for name in gone)), backup)


def _remove_keys(target: Target, names: tuple[str, ...]) -> None:
    path = keys.file_for(target.directory, target.name)
    left = keys.without(path.read_text(encoding="utf-8"), names)
    if keys.parse(left, path.name):
        disk.write(path, left, mode=0o600)
    else:
        path.unlink()


def _remove_empty_folder(target: Target) -> None:
    folder = target.workspace.root.parent
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= {".gitignore"}:
        shutil.rmtree(folder, ignore_errors=True)


def _images(target: Target, engine: Engine) -> list[Image]:
    """Return the images of this stack that neither a container outside it nor another stack's memory names."""
    own = {one.id for one in (*engine.containers(target.name), *engine.estate.containers(target.name))}
    elsewhere = engine.estate.image_ids_in_use(but=own)
    known = directories((*engine.estate.containers(), *engine.estate.volumes()), target.directory)
    others = [one for one in workspaces(known) if one.root != target.workspace.root]
    others_text = "\n".join(map(remembered, others))
    own_text = remembered(target.workspace)
    return [
        image
        for image in engine.estate.images()
        if named_in(image, own_text) and image.id not in elsewhere and not named_in(image, others_text)
    ]
