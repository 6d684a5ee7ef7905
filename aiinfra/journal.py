"""What a command that changes containers is about to do, so that the next one finishes or undoes it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from aiinfra import disk
from aiinfra.shape import record
from aiinfra.stack import PUBLISHED

# begun: a container is being made. attach: it is proven, and comes behind the edge. drain: the old one goes.
# held: requests wait in the edge while the only container is replaced. ending: all of the stack is being stopped.
Step = Literal["begun", "attach", "drain", "held", "ending"]


@dataclass(frozen=True)
class Entry:
    """One step of the swap of a service, "" for all of them.

    `known` are the ids of its containers before, `new` and `old` ids too.
    """

    service: str
    step: Step
    known: tuple[str, ...] = ()
    new: str = ""
    old: str = ""


@dataclass(frozen=True)
class Journal:
    path: Path

    def write(self, entry: Entry) -> None:
        """Note what comes next; on the disk before it begins."""
        disk.write(self.path, json.dumps(asdict(entry)) + "\n", mode=0o600)

    def read(self) -> Entry | None:
        """Return what an interrupted command was about; None when nothing is open, or the file is damaged.

        A damaged file tells nothing that the engine and the edge do not show as well.
        """
        try:
            entry = record(Entry, json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, AttributeError):
            return None
        known = ("",) if entry.step == "ending" else PUBLISHED
        return entry if entry.service in known else None

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)
