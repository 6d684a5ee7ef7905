"""Which provider configs there are: bundled ones, and the user's own in `litellm/`."""

from dataclasses import dataclass
from pathlib import Path

from aiinfra.bundle import TEMPLATES

FOLDER = "litellm"
_WORDS = 2  # of a heading such as "On failure"


@dataclass(frozen=True)
class Source:
    """One file that is a provider config. `file` is how to name it to people."""

    name: str
    path: Path
    bundled: bool

    @property
    def file(self) -> str:
        return f"{FOLDER}/{self.path.name}" + (" (bundled)" if self.bundled else "")


def sources(directory: Path) -> dict[str, Source]:
    """Return every provider config by name: the user's own in `litellm/` hide bundled ones of the same name."""
    return bundled() | _in(directory / FOLDER, bundled=False)


def bundled() -> dict[str, Source]:
    return _in(TEMPLATES / FOLDER, bundled=True)


def _in(folder: Path, *, bundled: bool) -> dict[str, Source]:
    paths = sorted((*folder.glob("*.yaml"), *folder.glob("*.yaml.j2")))
    return {name: Source(name, path, bundled) for path in paths if (name := _name(path))}


def _name(path: Path) -> str:
    return path.name.removesuffix(".j2").removesuffix(".yaml")


def description(source: Source) -> dict[str, str]:
    """Return what a file's first comment says: `what`, and `For`, `Needs` and the like in lower case."""
    found: dict[str, str] = {}
    key = "what"
    for line in source.path.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.startswith("#"):
            break
        said = line.lstrip("#").strip()
        head, colon, rest = said.partition(":")
        if colon and len(head.split()) <= _WORDS and (not found or line[1:3].strip()):
            key, said = ("what" if not found else head.lower()), rest.strip()
        found[key] = f"{found.get(key, '')} {said}".strip()
    return found
