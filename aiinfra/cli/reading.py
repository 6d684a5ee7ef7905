"""The verb that reads what services wrote: logs."""

import re
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from aiinfra.cli.invocation import SERVICES_HELP, Invocation, known, verb
from aiinfra.errors import AiinfraError, Code, Interrupted

_TAIL = 100


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    verb(app, "logs")(logs)


def logs(
    run: Invocation,
    services: Annotated[list[str] | None, typer.Argument(help=SERVICES_HELP)] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,  # noqa: FBT002
    tail: Annotated[
        str | None,
        typer.Option("--tail", "-n", help="Lines from the end of each container, or `all` [default: 100, or --since]."),
    ] = None,
    since: Annotated[str | None, typer.Option(help="From then on: 90s, 1h30m, 2d, or a time (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Until then, in the same words.")] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Whole times.")] = False,  # noqa: FBT002
    grep: Annotated[str | None, typer.Option(help="Only lines that this regular expression matches.")] = None,
    level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"] | None,
        typer.Option(help="Only lines of this level or above."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Lines as they were written, and nothing else.")] = False,  # noqa: FBT002
) -> None:
    """Show what the services wrote; with --json one object a line."""
    from aiinfra.commands.logs import LogLine, Query  # noqa: PLC0415
    from aiinfra.commands.logs import logs as act  # noqa: PLC0415
    from aiinfra.loglines import moment  # noqa: PLC0415

    if follow and until:
        raise AiinfraError(Code.USAGE, "--follow has no end, so there is no --until", hint="use one of them")
    now = datetime.now(UTC)
    query = Query(
        services=known(services),
        follow=follow,
        tail=_lines(tail, all_of_it=since is not None),
        since=moment(since, "--since", now) if since is not None else "",
        until=moment(until, "--until", now) if until is not None else "",
        level=level,
        pattern=_pattern(grep),
        raw=raw,
    )
    try:
        with closing(act(run.target, query, engine=run.engine)) as lines:
            for line in lines:
                if not isinstance(line, LogLine):
                    run.console.notice(line.text)
                elif run.console.as_json:
                    run.console.json_line(line)
                elif raw:
                    run.console.line(f"{line.time} {line.text}" if timestamps else line.text)
                else:
                    run.console.log_line(line, whole_time=timestamps)
    except Interrupted as interrupted:
        if not follow or interrupted.exit_code != Code.INTERRUPTED.exit_code:
            raise


def _lines(tail: str | None, *, all_of_it: bool) -> int | None:
    if tail is None:
        return None if all_of_it else _TAIL
    if tail == "all":
        return None
    if not (tail.isascii() and tail.isdigit()):
        raise AiinfraError(Code.USAGE, f"--tail: '{tail}' is not a number of lines", hint="use a number, or `all`")
    return int(tail)


def _pattern(grep: str | None) -> re.Pattern[str] | None:
    try:
        return None if grep is None else re.compile(grep)
    except re.error as error:
        raise AiinfraError(
            Code.USAGE, f"--grep: '{grep}' is no regular expression: {error}", hint="put a \\ before ( ) [ ] . * + ?"
        ) from error
