"""The verb that reads what services wrote: logs."""

from contextlib import closing
from typing import Annotated

import typer

from aiinfra.cli.invocation import SERVICES_HELP, Invocation, known, verb
from aiinfra.errors import AiinfraError, Code, Interrupted


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    verb(app, "logs")(logs)


def logs(
    run: Invocation,
    services: Annotated[list[str] | None, typer.Argument(help=SERVICES_HELP)] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,  # noqa: FBT002
    tail: Annotated[str, typer.Option("--tail", "-n", help="Lines from the end of each service, or `all`.")] = "100",
) -> None:
    """Show what the services wrote; with --json one object a line."""
    from aiinfra.commands.logs import logs as act  # noqa: PLC0415

    if tail != "all" and not (tail.isascii() and tail.isdigit()):
        raise AiinfraError(Code.USAGE, f"--tail: '{tail}' is not a number of lines", hint="use a number, or `all`")
    wanted = known(services)
    try:
        with closing(act(run.target, wanted, engine=run.engine, follow=follow, tail=tail)) as lines:
            for line in lines:
                if run.console.as_json:
                    run.console.json_line(line)
                else:
                    run.console.log_line(line.service, line.text)
    except Interrupted as interrupted:
        if not follow or interrupted.exit_code != Code.INTERRUPTED.exit_code:
            raise
