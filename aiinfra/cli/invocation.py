"""One run of one verb, and the options that every verb takes."""

import inspect
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiinfra.cli.completing import completed
from aiinfra.errors import AiinfraError, Code

if TYPE_CHECKING:
    from aiinfra.console import Console
    from aiinfra.engine import Engine
    from aiinfra.target import Target


def _option(name: str, kind: Any, *flags: str, text: str) -> inspect.Parameter:  # noqa: ANN401
    option = typer.Option(*flags, help=text)
    default = False if kind is bool else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


GLOBAL_OPTIONS = (
    _option(
        "directory", str | None, "--directory", "-C",
        text="Stack directory, in place of the one found from here upwards [env: AIINFRA_DIRECTORY].",
    ),
    _option("stack", str | None, "--stack", "-s", text="Name of the stack [env: AIINFRA_STACK]."),
    _option("json", bool, "--json", text="One JSON object on stdout."),
    _option("quiet", bool, "--quiet", "-q", text="No progress, only results and warnings."),
    _option("verbose", bool, "--verbose", "-v", text="The docker commands as they are run, and all of a long line."),
    _option("no_color", bool, "--no-color", text="No colour and no animation."),
    _option("yes", bool, "--yes", "-y", text="Answer every question with yes."),
)  # fmt: skip


SERVICES_HELP = "Services: redis, litellm, mpc-api, edge. All when none is named."


@dataclass
class Invocation:
    """What a verb needs, made when first used: console, engine, and the stack that it is about."""

    verb: str = "aiinfra"
    options: dict[str, Any] = field(default_factory=dict)
    reported: bool = False
    parsed: bool = False

    def take(self, given: dict[str, Any]) -> dict[str, Any]:
        """Remember the global options among `given`; returns the rest. What stands after the verb wins."""
        for option in GLOBAL_OPTIONS:
            value = given.pop(option.name)
            self.options[option.name] = value or self.options.get(option.name)
        return given

    @cached_property
    def console(self) -> "Console":
        from aiinfra.console import Console  # noqa: PLC0415 - rich is not needed for --help

        return Console(
            # A wrong command line has no parsed options yet, and must answer in JSON all the same.
            as_json=bool(self.options.get("json")) or (not self.parsed and "--json" in sys.argv),
            quiet=bool(self.options.get("quiet")),
            verbose=bool(self.options.get("verbose")),
            no_color=bool(self.options.get("no_color")),
        )

    @cached_property
    def engine(self) -> "Engine":
        from aiinfra.engine import Engine, tell_commands  # noqa: PLC0415

        told = bool(self.options.get("verbose"))
        if told:
            tell_commands(self.console.command)
        return Engine(told=told)

    @cached_property
    def target(self) -> "Target":
        """The stack directory that we stand in, or below."""
        from aiinfra import workspace  # noqa: PLC0415 - not needed for --help
        from aiinfra.target import target_of  # noqa: PLC0415

        return target_of(workspace.find(self._start), self.stack_name)

    @cached_property
    def target_here(self) -> "Target":
        """The directory that we stand in itself, to make a stack directory of it."""
        from aiinfra.target import target_of  # noqa: PLC0415

        return target_of(self._start, self.stack_name)

    @cached_property
    def directory(self) -> Path:
        """The stack directory that we stand in, or below, without reading its settings."""
        from aiinfra import workspace  # noqa: PLC0415

        return workspace.find(self._start)

    @property
    def stack_name(self) -> str | None:
        """The stack that was asked for; None means the settings' one."""
        return self.options.get("stack") or os.environ.get("AIINFRA_STACK") or None

    @property
    def _start(self) -> Path:
        named = self.options.get("directory") or os.environ.get("AIINFRA_DIRECTORY")
        try:
            start = Path(named).resolve() if named else Path.cwd()
            if not start.is_dir():
                raise NotADirectoryError
        except OSError as error:
            raise AiinfraError(
                Code.USAGE, f"{named or 'the current directory'} is not a directory", hint="name one: -C DIR"
            ) from error
        return start

    def addressed(self, text: str) -> str:
        """Return a hint whose commands name the stack that this command was given."""
        flags = (("-C", self.options.get("directory")), ("-s", self.options.get("stack")))
        given = "".join(f"{flag} {shlex.quote(value)} " for flag, value in flags if value)
        return text.replace("`aiinfra ", f"`aiinfra {given}")

    def done(self, data: object, error: AiinfraError | None = None) -> None:
        """End the verb: with `--json` the envelope; `error`, if any, becomes the exit code."""
        self.console.stop_live()
        if error:
            error.hint = self.addressed(error.hint)
        self.console.result(self.verb, data, error)
        self.reported = True
        if error:
            raise error

    def confirm(self, question: str, items: list[str]) -> None:
        """Show what would be destroyed, and ask.

        Raises AiinfraError: CONFIRMATION_NEEDED without a terminal, DECLINED when the answer is not yes.
        """
        if not items or self.options.get("yes"):
            return
        if self.console.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise AiinfraError(
                Code.CONFIRMATION_NEEDED,
                f"{question} {', '.join(items)}",
                hint="there is no terminal to ask on: add --yes",
                details={"items": items},
            )
        if not self.console.confirm(question, items):
            raise AiinfraError(Code.DECLINED, "nothing was done")


# One per process: the boundary must know which verb it was, also when the verb failed.
current = Invocation()


def verb(
    group: typer.Typer,
    name: str,
    **settings: Any,  # noqa: ANN401
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as the command `name`; its first parameter is the Invocation.

    Every command takes the global options too, so that they may stand before or after its name.
    `settings` are those of Click's context.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def wrapper(**given: Any) -> None:  # noqa: ANN401
            current.verb = name
            own = current.take(given)
            current.parsed = True
            try:
                function(current, **own)
            except BrokenPipeError:
                # The reader of a pipe went away, as with `| head`; nothing more can be said.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

        options = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        keyword = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in options]
        sign(wrapper, completed([*keyword, *GLOBAL_OPTIONS]), function.__doc__)
        group.command(name.rpartition(" ")[2], context_settings=settings or None)(wrapper)
        return function

    return decorate


def known(services: list[str] | None) -> list[str]:
    """Return the services named; raises USAGE for one that does not exist."""
    from aiinfra.stack import SERVICES  # noqa: PLC0415

    unknown = [name for name in services or () if name not in SERVICES]
    if unknown:
        raise AiinfraError(Code.USAGE, f"there is no service '{unknown[0]}'", hint=f"services: {', '.join(SERVICES)}")
    return services or []


def group(app: typer.Typer, name: str, text: str, verbs: Sequence[tuple[str, Callable[..., None]]]) -> None:
    """Add a command that only holds others; by itself it shows its help."""
    own = typer.Typer(help=text, invoke_without_command=True, rich_markup_mode=None)

    def show_help(**given: Any) -> None:  # noqa: ANN401
        context: typer.Context = given.pop("context")
        current.take(given)
        if context.invoked_subcommand is None:
            sys.stdout.write(context.get_help() + "\n")

    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    sign(show_help, [context, *GLOBAL_OPTIONS], None)
    own.callback()(show_help)
    for inner, function in verbs:
        verb(own, f"{name} {inner}")(function)
    app.add_typer(own, name=name)


def sign(function: Callable[..., None], parameters: list[inspect.Parameter], doc: str | None) -> None:
    """Give a function the signature that Typer reads."""
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {one.name: one.annotation for one in parameters}
    function.__doc__ = doc
