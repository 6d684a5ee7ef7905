"""What nothing uses any more: images, build cache, and what dead stacks left behind."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from aiinfra.engine import CacheRecord, Container, Engine, Image, Network, Sizes, Volume
from aiinfra.naming import DIRECTORY_LABEL, SCRATCH_LABEL, STACK_LABEL
from aiinfra.workspace import FOLDER, Workspace

Thing = Container | Network | Volume
T = TypeVar("T", Container, Network, Volume)


@dataclass(frozen=True)
class Item:
    """One thing that would go. `size` is in bytes, -1 when the engine does not tell."""

    kind: str
    name: str
    size: int
    why: str


@dataclass(frozen=True)
class Unused:
    containers: tuple[Container, ...]
    networks: tuple[Network, ...]
    volumes: tuple[Volume, ...]
    images: tuple[Image, ...]
    cache: tuple[CacheRecord, ...]
    sizes: Sizes

    @property
    def items(self) -> tuple[Item, ...]:
        cache = [Item("cache", f"{len(self.cache)} records", sum(max(one.size, 0) for one in self.cache), _NO_IMAGE)]
        return (
            *(Item("container", one.name, 0, _why(one)) for one in self.containers),
            *(Item("network", one.name, 0, _GONE) for one in self.networks),
            *(Item("volume", one.name, self.sizes.volumes.get(one.name, -1), _GONE) for one in self.volumes),
            *(Item("image", _name(one), self.sizes.images.get(one.id, one.size), _NO_STACK) for one in self.images),
            *(cache if self.cache else ()),
        )


_GONE = "its stack's directory is gone"
_NO_STACK = "no container, and no generation of a stack, uses it"
_NO_IMAGE = "build cache of our images that no image shares"


def _why(container: Container) -> str:
    return "left by an interrupted command" if SCRATCH_LABEL in container.labels else _GONE


def _name(image: Image) -> str:
    return image.tags[0] if image.tags else f"{image.service} without a tag, {image.id[7:19]}"


def unused(engine: Engine, here: Path, *, volumes: bool) -> Unused:
    """Return what nothing uses. Data is only in it when `volumes` says so.

    `here` is a stack directory that the engine may know nothing of at the moment: its generations are kept.
    """
    estate = engine.estate
    containers, networks, data = estate.containers(), estate.networks(), estate.volumes()
    dead = _dead((*containers, *networks, *data), containers)
    scratch = [one for one in containers if SCRATCH_LABEL in one.labels and not one.running]
    doomed = {one.id: one for one in (*_of(dead, containers), *scratch)}
    guests = [one.name for one in networks if set(estate.on_network(one.name)) - set(doomed)]
    return Unused(
        tuple(doomed.values()),
        tuple(one for one in _of(dead, networks) if one.name not in guests),
        tuple(_of(dead, data)) if volumes else (),
        tuple(_unused_images(engine, directories((*containers, *networks, *data), here), set(doomed))),
        tuple(estate.cache()),
        estate.sizes(),
    )


def directories(found: Iterable[Thing], here: Path) -> set[Path]:
    """Return every stack directory that is known: those in labels, and `here`."""
    return {here, *(Path(one.labels[DIRECTORY_LABEL]) for one in found if one.labels.get(DIRECTORY_LABEL))}


def workspaces(known: Iterable[Path]) -> Iterator[Workspace]:
    """Yield the stacks that were ever applied in these directories."""
    for directory in sorted(known):
        for state in sorted(directory.glob(f"{FOLDER}/*/state.json")):
            yield Workspace(directory, state.parent.name)


def remembered(workspace: Workspace) -> str:
    """Return all that a stack remembers of what it runs and ran, as one text: image tags and ids are in it."""
    files = (path for path in workspace.root.rglob("*") if path.suffix in (".json", ".yaml") and path.is_file())
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


def named_in(image: Image, text: str) -> bool:
    return image.id.removeprefix("sha256:") in text or any(tag in text for tag in image.tags)


def _dead(found: Sequence[Thing], containers: Sequence[Container]) -> set[str]:
    """Return the stacks whose directories are gone, and of which nothing runs."""
    alive = {one.labels[STACK_LABEL] for one in found if Workspace(_directory(one), one.labels[STACK_LABEL]).exists}
    running = {one.labels[STACK_LABEL] for one in containers if one.running}
    return {one.labels[STACK_LABEL] for one in found} - alive - running


def _directory(one: Thing) -> Path:
    return Path(one.labels.get(DIRECTORY_LABEL, "/nowhere"))


def _of(stacks: set[str], found: Iterable[T]) -> list[T]:
    return [one for one in found if one.labels[STACK_LABEL] in stacks]


def _unused_images(engine: Engine, known: Iterable[Path], doomed: set[str]) -> Iterator[Image]:
    used = engine.estate.image_ids_in_use(but=doomed)
    text = "\n".join(remembered(workspace) for workspace in workspaces(known))
    for image in engine.estate.images():
        if image.id not in used and not named_in(image, text):
            yield image
