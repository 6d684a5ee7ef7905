"""Which module has which verb. Only the one that is called is imported, and only its own options are read.

To make all of them takes longer than all that `aiinfra ps` does.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

# In the order that `--help` shows.
MODULES: Mapping[str, tuple[str, ...]] = {
    "applying": ("init", "up", "plan", "restart", "rebuild", "history", "rollback"),
    "switching": ("use-config", "models", "chat"),
    "looking": ("ps", "health"),
    "reading": ("logs",),
    "inside": ("exec", "shell"),
    "telling": ("env", "eject", "version", "completion"),
    "ending": ("down",),
    "upkeep": ("ls", "prune", "reset", "backup", "restore", "doctor"),
    "config": ("config",),
    "secrets": ("secrets",),
    "generate": ("generate",),
}


class Verbs(TyperGroup):
    """All verbs, each made when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - Typer has no public name for it
        return [name for names in MODULES.values() for name in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Return a verb; for one that there is not, Typer looks through all for what was meant."""
        known = self.list_commands(ctx)
        for name in [cmd_name] if cmd_name in known else known:
            if name not in self.commands:
                self.commands[name] = _made(name)
        return self.commands.get(cmd_name)


def _made(name: str) -> Any:  # noqa: ANN401
    module = next(module for module, names in MODULES.items() if name in names)
    app = typer.Typer(rich_markup_mode=None)
    import_module(f"aiinfra.cli.{module}").register(app)
    app.registered_commands = [one for one in app.registered_commands if one.name == name]
    return typer.main.get_group(app).commands[name]
