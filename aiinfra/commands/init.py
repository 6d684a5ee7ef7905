"""`init`: write what a stack directory starts from, and never over something that is there."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiinfra import disk, keys
from aiinfra.naming import FILE_NAME
from aiinfra.rendering import env_file, settings_file
from aiinfra.target import Target


@dataclass(frozen=True)
class InitResult:
    directory: str
    written: tuple[str, ...]
    kept: tuple[str, ...]


def init(target: Target) -> InitResult:
    """Write aiinfra.yaml, .env (0600, with strong generated keys) and .gitignore where they are missing."""
    written, kept = [], []
    for name, text in ((FILE_NAME, settings_file()), (".gitignore", ".env\n.env.*\n.aiinfra/\n")):
        path = target.directory / name
        if path.exists():
            kept.append(name)
        else:
            disk.write(path, text)
            written.append(name)
    generated = missing_keys(target)
    write_keys(target, generated)
    (written if generated else kept).append(target.keys_file)
    return InitResult(str(target.directory), tuple(written), tuple(kept))


def missing_keys(target: Target) -> dict[str, str]:
    """Return a strong new value for each of the stack's own keys that its file does not have."""
    found = keys.read(keys.file_for(target.directory, target.name))
    return {key.name: key.generate() for key in keys.missing(found, _callers(target))}


def _callers(target: Target) -> tuple[keys.OwnKey, ...]:
    return keys.of_callers(target.settings.services.mpc_api.keys)


def write_keys(target: Target, generated: Mapping[str, str]) -> None:
    """Put generated keys into the stack's file (0600), which keeps every other line that it has."""
    path = keys.file_for(target.directory, target.name)
    if not generated:
        return
    if path.exists():
        # `NAME=` would be set a second time by the line that is added.
        kept = keys.without(path.read_text(encoding="utf-8"), generated)
        text = kept + "".join(f"{name}={value}\n" for name, value in generated.items())
    else:
        text = env_file(target.name, generated, _callers(target))
    disk.write(path, text, mode=0o600)
