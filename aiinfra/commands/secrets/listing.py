"""`secrets list`: which keys the stack has, and which are being exchanged."""

from dataclasses import dataclass

from aiinfra import keys
from aiinfra.target import Target


@dataclass(frozen=True)
class KeyRow:
    """One own key; `state` is "set", "missing", or "exchanging" while the one before it is accepted too."""

    name: str
    state: str
    meaning: str
    file: str


def listing(target: Target) -> tuple[KeyRow, ...]:
    """Return a row per own key; no value of any. Raises AiinfraError (KEYS_INVALID) for a file that is wrong."""
    values = keys.load(target.directory, target.name)
    before = keys.previous(values)
    return tuple(
        KeyRow(
            key.name,
            "exchanging" if key.name in before else "set" if values.get(key.name) else "missing",
            key.meaning,
            target.keys_file,
        )
        for key in keys.OWN_KEYS
    )
