"""Applied states of a stack, kept to go back to: `generations/N.json`, beside the folders that they mount."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiinfra.disk import write
from aiinfra.shape import record
from aiinfra.workspace import Workspace

FOLDER = "generations"
_KEPT = 5


@dataclass(frozen=True)
class Generation:
    """One applied state. `at` is ISO 8601 in UTC, `healthy` whether it became so, `whole` if of all services.

    `compose` is the rendered file, `files` are the others, by path below the stack's own folder. `images` and
    `image_ids` are by service. `keys` are keyed digests by name: they tell whether a key changed, and nothing else.
    """

    number: int
    at: str
    verb: str
    provider_config: str
    healthy: bool
    whole: bool
    images: Mapping[str, str]
    image_ids: Mapping[str, str]
    replicas: Mapping[str, int]
    hashes: Mapping[str, str]
    ports: Mapping[str, int]
    address: str
    keys: Mapping[str, str]
    compose: str
    files: tuple[str, ...] = field(default_factory=tuple)

    @property
    def folders(self) -> set[str]:
        return {path.split("/")[0] for path in self.files}

    def same_as(self, other: "Generation") -> bool:
        """Whether the same runs in both, whatever command brought it, and when."""
        return (self.compose, self.image_ids, self.hashes, self.provider_config) == (
            other.compose,
            other.image_ids,
            other.hashes,
            other.provider_config,
        )


def load(workspace: Workspace) -> tuple[Generation, ...]:
    """Return what is kept, oldest first. A damaged file is none; see `damaged`."""
    found = [_read(path) for path in _paths(workspace)]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.number))


def damaged(workspace: Workspace) -> tuple[str, ...]:
    """Return the names of files that cannot be read."""
    return tuple(path.name for path in _paths(workspace) if _read(path) is None)


def save(workspace: Workspace, generation: Generation) -> None:
    """Keep a generation, and of the others the last five, the last five healthy ones, and the last of all services."""
    folder = workspace.root / FOLDER
    folder.mkdir(exist_ok=True, mode=0o700)
    write(folder / f"{generation.number}.json", json.dumps(asdict(generation), indent=2) + "\n", mode=0o600)
    found = load(workspace)
    healthy = [one for one in found if one.healthy]
    whole = [one for one in healthy if one.whole]
    kept = [*found[-_KEPT:], *healthy[-_KEPT:], *whole[-1:]]
    for one in found:
        if one not in kept:
            (folder / f"{one.number}.json").unlink(missing_ok=True)


def following(workspace: Workspace, number: int) -> int:
    """Return the number of the state after `number`; one that was used already, by a failure too, is not used again."""
    return max((number, *(int(path.stem) for path in _paths(workspace) if path.stem.isdigit()))) + 1


def before(found: tuple[Generation, ...], current: int) -> Generation | None:
    """Return the last one before `current` that was healthy as a whole, and is not what is healthy now again."""
    now = next((one for one in found if one.number == current and one.healthy), None)
    ways = (one for one in reversed(found) if one.number < current and one.healthy and one.whole)
    return next((one for one in ways if now is None or not one.same_as(now)), None)


def _paths(workspace: Workspace) -> list[Path]:
    return sorted((workspace.root / FOLDER).glob("[0-9]*.json"))


def _read(path: Path) -> Generation | None:
    try:
        found = record(Generation, json.loads(path.read_text(encoding="utf-8")))
        return found if found.number == int(path.stem) else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None
