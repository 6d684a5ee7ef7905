"""The verbs of upkeep: ls."""

import typer

from aiinfra.cli.invocation import Invocation, verb


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    for name, function in (("ls", ls),):
        verb(app, name)(function)


def ls(run: Invocation) -> None:
    """List every stack on this engine, from all directories."""
    from aiinfra.commands.ls import ls as act  # noqa: PLC0415

    found = act(engine=run.engine)
    if found:
        run.console.table(
            ("STACK", "STATE", "HEALTH", "PORTS", "PROVIDER CONFIG", "DIRECTORY"),
            [
                (
                    one.name,
                    one.state,
                    one.health,
                    ", ".join(f"{service} {port}" for service, port in one.ports.items()),
                    one.provider_config,
                    one.directory if one.directory_found else f"{one.directory} (gone)",
                )
                for one in found
            ],
        )
    else:
        run.console.say("there is no stack on this engine; make one: `aiinfra up`")
    run.done({"stacks": found})
