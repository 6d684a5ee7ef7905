"""The verbs that end a stack: down."""

from typing import TYPE_CHECKING, Annotated

import typer

from aiinfra.cli.invocation import Invocation, verb

if TYPE_CHECKING:
    from aiinfra.commands.down import DownResult


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    for name, function in (("down", down),):
        verb(app, name)(function)


def down(
    run: Invocation,
    all_: Annotated[bool, typer.Option("--all", help="Every stack on this engine, of all directories.")] = False,  # noqa: FBT002
    volumes: Annotated[bool, typer.Option("--volumes", help="Remove the data in Redis too.")] = False,  # noqa: FBT002
    timeout: Annotated[int | None, typer.Option(min=0, help="Seconds each container gets to stop.")] = None,
) -> None:
    """Stop and remove containers and networks; the data stays unless --volumes is given."""
    if all_:
        _down_all(run, volumes=volumes, timeout=timeout)
        return
    from aiinfra.commands.down import down as act  # noqa: PLC0415
    from aiinfra.commands.down import volumes_of  # noqa: PLC0415

    if volumes:
        run.confirm("Remove these volumes, and all the data in them?", volumes_of(run.target, engine=run.engine))
    result = act(run.target, engine=run.engine, report=run.console.report, volumes=volumes, timeout=timeout)
    _show_down(run, result)
    run.done(result)


def _down_all(run: Invocation, *, volumes: bool, timeout: int | None) -> None:
    from aiinfra.commands.down import down_all, everything  # noqa: PLC0415

    doomed = everything(engine=run.engine, volumes=volumes)
    run.confirm("Remove all of these, of every stack on this engine?", doomed)
    results = down_all(engine=run.engine, report=run.console.report, volumes=volumes, timeout=timeout)
    for result in results:
        _show_down(run, result)
    if not results:
        run.console.say("no stack was running on this engine")
    run.done({"stacks": results})


def _show_down(run: Invocation, result: "DownResult") -> None:
    run.console.stop_live()
    for name in (*result.removed, *result.networks_removed, *result.volumes_removed):
        run.console.line(f"removed  {name}")
    if not result.anything:
        run.console.say(f"{result.stack}: nothing was running")
