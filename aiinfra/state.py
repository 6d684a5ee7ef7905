"""What a stack remembers between commands, in `state.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiinfra import disk
from aiinfra.errors import AiinfraError, Code
from aiinfra.shape import record
from aiinfra.stack import PUBLISHED, Identity

# What blake2b takes.
_LONGEST_KEY = 64
_PORTS = range(1, 65536)


@dataclass(frozen=True)
class State:
    """`generation` counts applied states, `healthy` says whether the last one became healthy.

    `choice` is what `use-config` chose: `name`, `before` (the one to go back to) and `settings`, what aiinfra.yaml
    said then.
    """

    identity: Identity
    generation: int = 0
    healthy: bool = False
    applied: Mapping[str, Any] = field(default_factory=dict)
    choice: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _File:
    instance: str
    digest_key: str
    ports: Mapping[str, int]
    address: str
    generation: int
    healthy: bool
    applied: Mapping[str, object]
    choice: Mapping[str, str] = field(default_factory=dict)


def read(path: Path) -> State | None:
    """Return what is remembered; None when there is no file. Raises AiinfraError (STATE_INVALID) when it is damaged."""
    try:
        return _state(record(_File, json.loads(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AiinfraError(
            Code.STATE_INVALID,
            f"{path} is damaged: {type(error).__name__}: {error}",
            hint="remove that file; the next `aiinfra up` writes a new one and recreates the containers, "
            "the data in Redis stays",
        ) from error
    except OSError as error:
        raise disk.unwritable(path, error) from error


def write(path: Path, state: State) -> None:
    kept = {
        "instance": state.identity.instance,
        "digest_key": state.identity.digest_key.hex(),
        "ports": dict(state.identity.ports),
        "address": state.identity.address,
        "generation": state.generation,
        "healthy": state.healthy,
        "applied": dict(state.applied),
        "choice": dict(state.choice),
    }
    disk.write(path, json.dumps(kept, indent=2) + "\n", mode=0o600)


def _state(kept: _File) -> State:
    key = bytes.fromhex(kept.digest_key)
    ports = {name: kept.ports[name] for name in PUBLISHED}
    if wrong := [port for port in ports.values() if port not in _PORTS]:
        raise ValueError(f"{wrong[0]} is not a port")
    if not 0 < len(key) <= _LONGEST_KEY:
        raise ValueError(f"digest_key has {len(key)} bytes")
    identity = Identity(instance=kept.instance, digest_key=key, ports=ports, address=kept.address)
    return State(identity, kept.generation, kept.healthy, kept.applied, kept.choice)
