"""What the shell offers after a Tab. Whatever is wrong, it offers less; it never complains."""

import contextlib
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import typer

from aiinfra.errors import AiinfraError

VARIABLE = "_AIINFRA_COMPLETE"
_ENGINE_SECONDS = 2.0


def services(_context: typer.Context) -> list[str]:
    from aiinfra.stack import SERVICES  # noqa: PLC0415

    return list(SERVICES)


def provider_configs(context: typer.Context) -> list[str]:
    """Return the bundled ones, and those of the stack directory."""
    from aiinfra.providers.source import sources  # noqa: PLC0415

    return sorted(sources(_directory(context)))


def stacks(context: typer.Context) -> list[str]:
    """Return the stacks of the stack directory, and those on the engine if it answers at once."""
    from aiinfra.engine.command import run  # noqa: PLC0415
    from aiinfra.naming import STACK_LABEL  # noqa: PLC0415
    from aiinfra.workspace import FOLDER  # noqa: PLC0415

    found = {path.parent.name for path in (_directory(context) / FOLDER).glob("*/state.json")}
    with contextlib.suppress(AiinfraError, TimeoutError):
        label = f'{{{{.Label "{STACK_LABEL}"}}}}'
        listing = ["docker", "ps", "--all", "--filter", f"label={STACK_LABEL}", "--format", label]
        found |= set(run(listing, timeout=_ENGINE_SECONDS).stdout.split())
    return sorted(found)


# By the name of a command's parameter, which means the same everywhere.
COMPLETIONS: dict[str, Callable[[typer.Context], list[str]]] = {
    "services": services,
    "service": services,
    "provider_config": provider_configs,
    "name": provider_configs,
    "first": provider_configs,
    "second": provider_configs,
    "base": provider_configs,
    "stack": stacks,
}


def completed(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    """Let the shell complete those parameters whose name says how."""
    for one in parameters:
        for info in getattr(one.annotation, "__metadata__", ()):
            if one.name in COMPLETIONS and hasattr(info, "autocompletion"):
                info.autocompletion = info.autocompletion or COMPLETIONS[one.name]
    return parameters


def complete(command: Any) -> NoReturn:  # noqa: ANN401 - Typer has no public name for it
    """Answer the shell, which asks through VARIABLE, and end. Nothing that goes wrong reaches the user's prompt."""
    # Typer makes its shells known only together with its own --install-completion.
    from typer._completion_classes import completion_init  # noqa: PLC0415

    try:
        completion_init()
        command.main(prog_name="aiinfra", complete_var=VARIABLE)
    except Exception:  # noqa: BLE001 - a prompt is no place for any of them
        sys.exit(1)
    sys.exit(0)


def _directory(context: typer.Context) -> Path:
    from aiinfra.workspace import find  # noqa: PLC0415

    given = context.params.get("directory") or context.find_root().params.get("directory")
    return find(Path(given or os.environ.get("AIINFRA_DIRECTORY") or "."))
