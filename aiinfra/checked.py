"""The aiinfra.yaml that was checked when a stack was applied: who only looks need not check the same text again."""

import hashlib
import json
from pathlib import Path

from aiinfra.naming import FILE_NAME
from aiinfra.workspace import FOLDER, Workspace

_FILE = "settings.json"


def stack_in(directory: Path) -> str | None:
    """Return the stack that the settings name; None where their text is not the one that was checked."""
    for path in sorted((directory / FOLDER).glob(f"*/{_FILE}")):
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["sha256"] == _digest(directory):
                return str(kept["stack"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def write(workspace: Workspace) -> None:
    """Write down the settings as they are now. Raises AiinfraError when they are wrong, or cannot be written."""
    from aiinfra import disk, settings  # noqa: PLC0415 - not for those who only look

    before = _digest(workspace.directory)
    stack = settings.load(workspace.directory).stack
    if before == _digest(workspace.directory) and stack_in(workspace.directory) is None:
        disk.write(workspace.root / _FILE, json.dumps({"sha256": before, "stack": stack}) + "\n", mode=0o600)


def _digest(directory: Path) -> str:
    return hashlib.sha256((directory / FILE_NAME).read_bytes()).hexdigest()
