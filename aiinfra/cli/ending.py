"""The verbs that end a stack: down."""

from typing import Annotated

import typer

from aiinfra.cli.invocation import Invocation, verb


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    for name, function in (("down", down),):
        verb(app, name)(function)


def down(
    run: Invocation,
    volumes: Annotated[bool, typer.Option("--volumes", help="Remove the data in Redis too.")] = False,  # noqa: FBT002
    timeout: Annotated[int | None, typer.Option(min=0, help="Seconds each container gets to stop.")] = None,
) -> None:
    """Stop and remove containers and networks; the data stays unless --volumes is given."""
    from aiinfra.commands.down import down as act  # noqa: PLC0415
    from aiinfra.commands.down import volumes_of  # noqa: PLC0415

    if volumes:
        run.confirm("Remove these volumes, and all the data in them?", volumes_of(run.target, engine=run.engine))
    result = act(run.target, engine=run.engine, report=run.console.report, volumes=volumes, timeout=timeout)
    run.console.stop_live()
    for name in (*result.removed, *result.volumes_removed):
        run.console.line(f"removed  {name}")
    if not result.removed and not result.volumes_removed:
        run.console.say(f"{result.stack}: nothing was running")
    run.done(result)
