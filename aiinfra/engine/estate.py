"""Everything that this tool made on an engine, of every stack."""

import json
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aiinfra.engine.command import look
from aiinfra.engine.container import Container as Found
from aiinfra.engine.container import Volume, container
from aiinfra.engine.watch import translated
from aiinfra.naming import LABEL, STACK_LABEL

if TYPE_CHECKING:
    from python_on_whales import DockerClient

# In every build of ours, and so in what BuildKit says about the records of its cache.
CACHE_MARK = "aiinfra-build"
# Seconds. `docker system df` counts every file of every volume.
_COUNTING = 120.0


@dataclass(frozen=True)
class Network:
    id: str
    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Image:
    """An image of ours. `size` is in bytes, without what it shares with other images where Docker says."""

    id: str
    tags: tuple[str, ...]
    size: int
    service: str


@dataclass(frozen=True)
class Sizes:
    """Bytes, -1 where the engine does not know: of images by id, what removing one frees; of volumes by name."""

    images: Mapping[str, int]
    volumes: Mapping[str, int]


@dataclass(frozen=True)
class CacheRecord:
    id: str
    size: int
    description: str


class Estate:
    """Looks by label, so that nothing of anybody else is ever in its answers."""

    def containers(self, stack: str | None = None) -> list[Found]:
        """Return the containers of a stack, or of all stacks; scratch containers too."""
        ids = look("ps", "-aq", "--no-trunc", "--filter", _labelled(stack)).split()
        found = json.loads(look("inspect", "--type", "container", *ids, tolerate="No such") or "[]") if ids else []
        return [container(item) for item in found]

    def volumes(self, stack: str | None = None) -> list[Volume]:
        names = look("volume", "ls", "-q", "--filter", _labelled(stack)).split()
        found = json.loads(look("volume", "inspect", *names, tolerate="no such") or "[]") if names else []
        return [Volume(one["Name"], one["Labels"] or {}) for one in found]

    def networks(self, stack: str | None = None) -> list[Network]:
        ids = look("network", "ls", "-q", "--filter", _labelled(stack)).split()
        found = json.loads(look("network", "inspect", *ids, tolerate="not found") or "[]") if ids else []
        return [Network(one["Id"], one["Name"], one["Labels"] or {}) for one in found]

    def on_network(self, name: str) -> dict[str, str]:
        """Return the containers on a network, ours or not, running or not: names by id."""
        text = look("ps", "-a", "--no-trunc", "--filter", f"network={name}", "--format", "{{.ID}} {{.Names}}")
        return dict(line.split(" ", 1) for line in text.splitlines())

    def labels(self, kind: str, name: str) -> dict[str, str] | None:
        """Return the labels of a network or volume; None where there is none of this name."""
        missing = "not found" if kind == "network" else "no such volume"
        text = look(kind, "inspect", "--format", "{{json .Labels}}", name, tolerate=missing)
        return (json.loads(text) or {}) if text.strip() else None

    def images(self) -> list[Image]:
        """Return the images that we built, tagged or not."""
        ids = look("image", "ls", "-q", "--no-trunc", "--filter", f"label={LABEL}service").split()
        found = json.loads(look("image", "inspect", *dict.fromkeys(ids), tolerate="No such") or "[]") if ids else []
        return [
            Image(one["Id"], tuple(one["RepoTags"] or ()), one["Size"], one["Config"]["Labels"][f"{LABEL}service"])
            for one in found
        ]

    def image_ids_in_use(self, *, but: Container[str] = ()) -> set[str]:
        """Return the ids of the images of all containers, ours or not, except those whose ids are in `but`."""
        ids = [one for one in look("ps", "-aq", "--no-trunc").split() if one not in but]
        text = look("inspect", "--type", "container", "--format", "{{.Image}}", *ids, tolerate="No such") if ids else ""
        return set(text.split())

    def sizes(self) -> Sizes:
        found = json.loads(look("system", "df", "-v", "--format", "json", timeout=_COUNTING))
        return Sizes(
            {one["ID"]: bytes_of(one["UniqueSize"]) for one in found["Images"] or ()},
            {one["Name"]: bytes_of(one["Size"]) for one in found["Volumes"] or ()},
        )

    def cache(self) -> list[CacheRecord]:
        """Return the records of the build cache that came from our builds and that no image shares; leaves first."""
        text = look("buildx", "du", "--format", "json", timeout=_COUNTING, tolerate="no builder")
        records = {one["ID"]: one for one in map(json.loads, text.splitlines())}
        ours = [one for one in records.values() if _from_our_build(one, records)]
        ours.sort(key=lambda one: _depth(one, records), reverse=True)
        return [
            CacheRecord(one["ID"], bytes_of(one["Size"]), one["Description"])
            for one in ours
            if one["Reclaimable"] and not one["Shared"]
        ]

    def remove_images(self, images: Iterable[Image]) -> None:
        for image in images:
            with translated():
                # By tag where it has some: an id with several tags would need force.
                self._client.image.remove(list(image.tags) or image.id)

    def remove_networks(self, names: Sequence[str]) -> None:
        if names:
            with translated():
                self._client.network.remove(list(names))

    def remove_cache(self, records: Iterable[CacheRecord]) -> None:
        for record in records:
            # Not through python-on-whales: it gives every filter its default beside ours.
            look("buildx", "prune", "--force", "--filter", f"id={record.id}", timeout=_COUNTING)

    @cached_property
    def _client(self) -> "DockerClient":
        from python_on_whales import DockerClient  # noqa: PLC0415 - 0.2 s

        return DockerClient()


def bytes_of(text: str) -> int:
    """Return the bytes that a size such as "1.151kB" means (decimal units); -1 for "N/A"."""
    found = re.fullmatch(r"([\d.]+) ?([kKMGT]?)i?B\*?", text)
    if found is None:
        return -1
    power = " KMGT".index(found[2].upper() or " ")
    return int(float(found[1]) * 1000.0**power)


def _labelled(stack: str | None) -> str:
    return f"label={STACK_LABEL}" + (f"={stack}" if stack else "")


def _parents(record: Mapping[str, Any]) -> list[str]:
    return list(record.get("Parents") or ())


def _from_our_build(record: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]]) -> bool:
    if CACHE_MARK in record["Description"]:
        return True
    return any(_from_our_build(records[one], records) for one in _parents(record) if one in records)


def _depth(record: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]]) -> int:
    return 1 + max((_depth(records[one], records) for one in _parents(record) if one in records), default=0)
