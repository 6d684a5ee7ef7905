"""Which stack a command is about; of its directory only what is asked for is read."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra import naming, workspace
from aiinfra.errors import AiinfraError, Code
from aiinfra.naming import DIRECTORY_LABEL
from aiinfra.stack import Stack
from aiinfra.workspace import Workspace

if TYPE_CHECKING:
    from aiinfra.certificates import Certificate
    from aiinfra.engine import Compose, Container, Volume
    from aiinfra.settings import Settings


@dataclass(frozen=True)
class Target:
    """Which stack a command is about: its directory, settings and name. Nothing else is read yet."""

    directory: Path
    name: str

    @cached_property
    def settings(self) -> "Settings":
        from aiinfra import settings  # noqa: PLC0415 - pydantic takes longer than all that `ps` does

        return settings.load(self.directory)

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace(self.directory, self.name)

    @property
    def compose(self) -> "Compose":
        from aiinfra.engine import Compose  # noqa: PLC0415

        return Compose(self.name, self.workspace.compose_file)

    @property
    def keys_file(self) -> str:
        from aiinfra import keys  # noqa: PLC0415 - not for `ps`

        return keys.file_for(self.directory, self.name).name

    def refuse_elsewhere(self, found: "Sequence[Container | Volume]") -> None:
        """Raise STACK_ELSEWHERE when something of this name is another directory's, or no stack of ours.

        A directory that is no longer there was moved: what was its is now that of whoever has its files.
        """
        for one in found:
            owner = one.labels.get(DIRECTORY_LABEL, "")
            moved = bool(owner) and not workspace.Workspace(Path(owner), self.name).state_file.exists()
            if owner != str(self.directory) and not moved:
                stranger = f"a Compose project that aiinfra did not make ({one.name})"
                whose = f"the directory {owner}" if owner else stranger
                raise AiinfraError(
                    Code.STACK_ELSEWHERE,
                    f"the stack '{self.name}' belongs to {whose}",
                    hint=f"use `-C {shlex.quote(owner)}`, or another name here: `--stack NAME`"
                    if owner
                    else f"remove {one.name} if it is a leftover, or use another name: `--stack NAME`",
                    details={"stack": self.name, "directory": owner},
                )


def target_of(directory: Path, name: str | None) -> Target:
    """Return the stack that is meant: the one named, else the settings' one. Raises AiinfraError (exit 2 or 3).

    Wrong settings are refused here, whatever is named; those that are known to be right are not read again.
    """
    found = naming.DEFAULT_STACK if _says_nothing(directory / naming.FILE_NAME) else _stack_set(directory)
    if name is not None and not naming.STACK_NAME.fullmatch(name):
        raise AiinfraError(
            Code.USAGE,
            f"'{name}' is not a stack name",
            hint="use at most 41 of a-z, 0-9, '-' and '_', beginning with a letter or digit",
        )
    return Target(directory, name or found)


def _says_nothing(path: Path) -> bool:
    """Whether a settings file is missing, or has nothing but comments, as a new one does."""
    try:
        return all(not line.strip() or line.startswith("#") for line in path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        return False


def _stack_set(directory: Path) -> str:
    from aiinfra import checked  # noqa: PLC0415 - not for settings that say nothing

    if known := checked.stack_in(directory):
        return known
    from aiinfra import settings  # noqa: PLC0415 - pydantic takes longer than all that `ps` does

    return settings.load(directory).stack


def running(target: Target) -> Stack:
    """Return a stack as it was last applied. Raises NOT_RUNNING when it never was."""
    state = target.workspace.state()
    if state is None:
        raise AiinfraError(
            Code.NOT_RUNNING,
            f"the stack '{target.name}' was never started from {target.directory}",
            hint="start it: `aiinfra up`",
        )
    pem = target.workspace.root / naming.CERTIFICATE
    return Stack(target.name, target.directory, lambda: target.settings, state.identity, certificate=_applied(pem))


def _applied(pem: Path) -> "Certificate | None":
    if not pem.exists():
        return None
    from aiinfra import certificates  # noqa: PLC0415 - only for stacks with TLS

    return certificates.applied(pem)
