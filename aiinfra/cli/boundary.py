"""The application and its error boundary: whatever happens becomes words and an exit code."""

import inspect
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from aiinfra import __version__
from aiinfra.cli.completing import VARIABLE, complete, completed
from aiinfra.cli.invocation import GLOBAL_OPTIONS, current, sign
from aiinfra.cli.verbs import Verbs
from aiinfra.cli.words import spare
from aiinfra.errors import AiinfraError, Code, Interrupted


def run() -> int:
    """Run the command line of this process; returns its exit code. No foreseeable fault shows a traceback."""
    _open_streams()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A shell that starts us in the background has SIGINT ignored, and means it.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    command = typer.main.get_command(application())
    spare()
    if VARIABLE in os.environ:
        complete(command)
    try:
        arguments = sys.argv[1:] or ["--help"]
        return int(command.main(arguments, prog_name="aiinfra", standalone_mode=False) or 0)
    except (Exception, Interrupted) as error:
        explained = _explained(error)
        if explained.code is Code.INTERNAL and current.options.get("verbose"):
            raise
        _fail(explained)
        return error.exit_code if isinstance(error, Interrupted) else explained.exit_code


def _open_streams() -> None:
    """Give us somewhere to write when a stream is closed, and a way to write what its encoding lacks."""
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for good
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for good
        stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, stream)


def _explained(error: BaseException) -> AiinfraError:
    if isinstance(error, AiinfraError):
        return error
    if isinstance(error, typer.TyperException):
        path = getattr(getattr(error, "ctx", None), "command_path", "")
        current.verb = path.removeprefix("aiinfra").strip() or current.verb
        return AiinfraError(
            Code.USAGE, error.format_message(), hint="see `aiinfra --help`, or `aiinfra COMMAND --help`"
        )
    if isinstance(error, Interrupted | typer.Abort):
        return AiinfraError(
            Code.INTERRUPTED, "interrupted", hint="no data is lost; the next `aiinfra up` finishes the job"
        )
    if isinstance(error, OSError):
        from aiinfra.disk import unwritable  # noqa: PLC0415

        return unwritable(Path(error.filename or "a file"), error)
    return AiinfraError(
        Code.INTERNAL,
        f"aiinfra met something it does not know: {type(error).__name__}: {error}",
        hint="this is a defect of aiinfra; with --verbose it shows where, please report that",
    )


def application() -> typer.Typer:
    """Return the command line with all of its verbs."""
    app = typer.Typer(
        name="aiinfra",
        cls=Verbs,
        rich_markup_mode=None,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    version = typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)
    parameter = inspect.Parameter(
        "version", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, version]
    )
    sign(_root, completed([parameter, *GLOBAL_OPTIONS]), "From an empty directory to a healthy AI backend.")
    app.callback()(_root)
    return app


def _root(**given: Any) -> None:  # noqa: ANN401
    given.pop("version")
    current.take(given)


def _show_version(value: bool) -> None:  # noqa: FBT001 - Typer's callback
    if value:
        sys.stdout.write(f"aiinfra {__version__}\n")
        raise typer.Exit


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


def _fail(error: AiinfraError) -> None:
    if not current.reported:
        error.hint = current.addressed(error.hint)
        current.console.result(current.verb, None, error)
    current.console.failure(error)
