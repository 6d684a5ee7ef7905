"""What a stack directory means, kept beside a fingerprint of everything that it was read from.

To read, check and render all of it takes several times as long as to see that none of it changed.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from aiinfra import bundle, checked, disk, edge_config
from aiinfra.errors import AiinfraError
from aiinfra.naming import FILE_NAME
from aiinfra.stack import SERVICES
from aiinfra.target import Target

_FILE = "meaning.json"


@dataclass(frozen=True)
class Meaning:
    """What should run: content hashes, images and replicas by service, and the edge's files without their places."""

    provider_config: str
    hashes: Mapping[str, str]
    images: Mapping[str, str]
    replicas: Mapping[str, int]
    edge: str


def read(target: Target) -> Meaning | None:
    """Return what the directory means; None where that is not known, or anything that it was read from changed."""
    try:
        kept = json.loads((target.workspace.root / _FILE).read_text(encoding="utf-8"))
        same = kept["inputs"] == _fingerprint(target, kept["certificate"])
        return Meaning(**kept["meaning"]) if same else None
    except (OSError, ValueError, KeyError, TypeError, AiinfraError):
        return None


def write(target: Target) -> None:
    """Write down what the directory means now. Does nothing where it means nothing, or is edited meanwhile."""
    with contextlib.suppress(OSError, AiinfraError):
        checked.write(target.workspace)
    if read(target):
        return
    with contextlib.suppress(OSError, AiinfraError):
        certificate = _certificate(Target(target.directory, target.name))
        inputs = _fingerprint(target, certificate)
        fresh = Target(target.directory, target.name)
        meaning = _meaning(fresh)
        if certificate == _certificate(fresh) and inputs == _fingerprint(target, certificate):
            kept = {"inputs": inputs, "certificate": certificate, "meaning": asdict(meaning)}
            disk.write(target.workspace.root / _FILE, json.dumps(kept) + "\n", mode=0o600)


def _meaning(target: Target) -> Meaning:
    from aiinfra.loading import load  # noqa: PLC0415 - all that `read` is there to save

    loaded = load(target, {})
    folder = f"{edge_config.FOLDER}/"
    edge = {file.path.removeprefix(folder): file.text for file in loaded.rendered.files if file.live}
    replicas = {name: loaded.stack.replicas[name] for name in SERVICES}
    rendered, images = loaded.rendered.hashes, loaded.service_images
    return Meaning(loaded.provider.name, rendered, images, replicas, edge_config.skeleton(edge))


def _certificate(target: Target) -> list[str]:
    tls = target.settings.tls
    return [tls.cert, tls.key] if tls else []


def _fingerprint(target: Target, certificate: Sequence[str]) -> str:
    """Return a hash of all that `load` reads: the user's files by content, our own by what a change leaves on them.

    Keyed, as there are secrets among them. Raises OSError, AiinfraError (STATE_INVALID), and KeyError for no stack.
    """
    state = target.workspace.state()
    if state is None:
        raise KeyError(target.name)
    files = [FILE_NAME, ".env", target.keys_file, *certificate]
    own = sorted(path for path in (target.directory / "litellm").glob("*") if path.suffix in (".yaml", ".j2"))
    inputs = (
        str(target.workspace.root),
        state.identity,
        sorted(state.choice.items()),
        disk.runtime_user(),
        [(str(path), _content(path)) for path in (*(target.directory / name for name in files), *own)],
        [found for folder in bundle.folders() for found in stamps(folder)],
        _libraries(),
    )
    return hashlib.blake2b(repr(inputs).encode(), key=state.identity.digest_key, digest_size=16).hexdigest()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def stamps(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    """Yield what changes with every file below a folder: path, size and times. Hidden folders and caches do not count.

    The time of change cannot be set, so no copy of an older file goes unnoticed.
    """
    for inner, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith(".") and name != "__pycache__")
        for name in sorted(names):
            found = os.lstat(os.path.join(inner, name))  # noqa: PTH118 - a quarter of the time, for 300 files
            yield name, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _libraries() -> int:
    """Return when something was installed last beside the libraries that read and render."""
    found = find_spec("jinja2")
    return Path(found.origin).parents[1].stat().st_mtime_ns if found and found.origin else 0
