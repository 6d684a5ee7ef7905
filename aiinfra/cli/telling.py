"""The verbs that tell what others need to know: env, version, completion."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from aiinfra.cli.invocation import Invocation, verb
from aiinfra.errors import AiinfraError, Code

_HIDDEN = "(hidden)"


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    verb(app, "env")(env)
    verb(app, "eject")(eject)
    verb(app, "version")(version)
    verb(app, "completion")(completion)


def env(
    run: Invocation,
    form: Annotated[
        Literal["dotenv", "shell", "json", "github"],
        typer.Option("--format", "-f", help="github is the syntax of the file that GITHUB_ENV names."),
    ] = "dotenv",
    rename: Annotated[
        list[str] | None, typer.Option(help="NAME=OTHER: call a variable OTHER; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file (0600) in place of stdout.")
    ] = None,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Show keys on a terminal too.")] = False,  # noqa: FBT002
) -> None:
    """Print the connection data that an application needs. Keys are hidden on a terminal."""
    from aiinfra import disk  # noqa: PLC0415
    from aiinfra.commands.env import env as act  # noqa: PLC0415
    from aiinfra.quoting import written  # noqa: PLC0415

    result = act(run.target, rename or ())
    if output is not None:
        if not output.parent.is_dir():
            raise AiinfraError(Code.USAGE, f"--output: {output.parent} is not a directory", hint="make it first")
        disk.write(output, written(result.variables, form), mode=0o600)
        run.console.say(f"written to {output}: {', '.join(result.variables)}")
        run.done(result.hidden(_HIDDEN))
        return
    if sys.stdout.isatty() and not show_secrets:
        result = result.hidden(_HIDDEN)
        run.console.say(f"{', '.join(result.secrets)}: hidden on a terminal; --show-secrets shows them")
    run.console.line(written(result.variables, form).removesuffix("\n"))
    run.done(result)


def eject(
    run: Invocation,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Empty, or not there yet.")] = Path("ejected"),
) -> None:
    """Write compose file, configs, secrets and build folders, to run with plain `docker compose up --wait`."""
    from aiinfra.commands.eject import eject as act  # noqa: PLC0415

    result = act(run.target, folder.absolute())
    run.console.line(result.directory)
    if result.keys_generated:
        run.console.say(f"strong keys generated, there only: {', '.join(result.keys_generated)}")
    run.console.say(f"its secrets are in it; run it there: `{result.running}`")
    run.done(result)


def version(run: Invocation) -> None:
    """Show the versions of aiinfra, of Docker, and of what the stack runs."""
    from aiinfra.commands.version import version as act  # noqa: PLC0415

    result = act(run.target, engine=run.engine)
    if result.silent:
        run.console.warn(result.silent)
    programs = {
        "aiinfra": result.aiinfra,
        "Python": result.python,
        "Docker engine": result.engine,
        "Compose": result.compose,
        "buildx": result.buildx,
    }
    rows = [(name, found or "-", "") for name, found in programs.items()]
    rows += [(one.service, one.version or "-", f"{one.image} ({one.id[:19]})") for one in result.images]
    run.console.table(("WHAT", "VERSION", "IMAGE"), rows)
    run.done(result)


def completion(
    run: Invocation,
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="The shell that will read it.")],
) -> None:
    """Print the completion script of a shell, with how to use it in its first lines."""
    from aiinfra.bundle import TEMPLATES  # noqa: PLC0415

    script = (TEMPLATES / "completion" / f"aiinfra.{shell}").read_text(encoding="utf-8")
    run.console.line(script.removesuffix("\n"))
    run.done({"shell": shell, "script": script})
