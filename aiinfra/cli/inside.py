"""The verbs that go into a container: exec, shell."""

import sys
from typing import Annotated

import typer

from aiinfra.cli.invocation import Invocation, known, verb
from aiinfra.errors import AiinfraError, Code

_Service = Annotated[str, typer.Argument(help="One of redis, litellm, mpc-api, edge.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    # What looks like an option after SERVICE is the command's.
    verb(app, "exec", allow_interspersed_args=False)(exec_)
    verb(app, "shell")(shell)


def exec_(
    run: Invocation,
    service: _Service,
    command: Annotated[list[str], typer.Argument(metavar="CMD...", help="The command and its arguments.")],
) -> None:
    """Run a command in a running container; terminal, streams and exit code are the command's own."""
    _enter(run, service, command)


def shell(run: Invocation, service: _Service) -> None:
    """Open a shell in a running container: bash where there is one, else sh."""
    from aiinfra.commands.inside import SHELL  # noqa: PLC0415

    _enter(run, service, SHELL)


def _enter(run: Invocation, service: str, command: list[str] | tuple[str, ...]) -> None:
    from aiinfra.commands.inside import become, capture  # noqa: PLC0415

    known([service])
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not run.console.as_json:
        become(run.target, service, command, engine=run.engine, terminal=terminal)
    text = "" if sys.stdin.isatty() else sys.stdin.read()
    result = capture(run.target, service, command, engine=run.engine, text=text)
    error = AiinfraError(
        Code.COMMAND_FAILED,
        f"the command ended with exit code {result.exit_code}",
        hint="see data.stderr",
        details={"exit_code": result.exit_code},
        exit_code=result.exit_code,
    ) if result.exit_code else None  # fmt: skip
    run.done(result, error)
