"""The verbs that look at a stack: ps, health, logs."""

from contextlib import closing
from typing import Annotated

import typer

from aiinfra.cli.invocation import SERVICES_HELP, Invocation, known, verb
from aiinfra.errors import AiinfraError, Code, Interrupted


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    for name, function in (
        ("ps", ps),
        ("health", health),
        ("logs", logs),
    ):
        verb(app, name)(function)


def ps(
    run: Invocation,
    all_: Annotated[bool, typer.Option("--all", "-a", help="Stopped containers too.")] = False,  # noqa: FBT002
) -> None:
    """Show the stack's containers."""
    from aiinfra.commands.ps import ps as act  # noqa: PLC0415

    found = act(run.target, engine=run.engine)
    rows = [one for one in found if all_ or one.state == "running"]
    if rows:
        run.console.table(
            ("SERVICE", "STATE", "HEALTH", "PORTS", "STARTED", "IMAGE"),
            [
                (
                    one.service,
                    one.state,
                    one.health,
                    ", ".join(map(str, one.ports)),
                    one.started or "",
                    one.image,
                )
                for one in rows
            ],
        )
    else:
        run.console.say(run.addressed(f"{run.target.name}: nothing is running; start it: `aiinfra up`"))
    if len(rows) < len(found):
        run.console.say(run.addressed(f"{len(found) - len(rows)} more not running: `aiinfra ps --all`"))
    run.done({"stack": run.target.name, "containers": [vars(one) for one in rows]})


def health(
    run: Invocation,
    services: Annotated[list[str] | None, typer.Argument(help=SERVICES_HELP)] = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds that each probe may take.")] = 5.0,
) -> None:
    """Probe every service at once. Exit code 0 only when all are healthy."""
    from aiinfra.commands.health import health as act  # noqa: PLC0415

    result = act(run.target, known(services), engine=run.engine, timeout=timeout)
    run.console.table(
        ("SERVICE", "STATUS", "CONTAINER", "LATENCY", ""),
        [(one.service, one.status, one.container, _latency(one.milliseconds), one.text) for one in result.services],
    )
    bad = [one.service for one in result.services if one.status != "healthy"]
    error = AiinfraError(
        Code.UNHEALTHY,
        f"{result.stack} is {result.status}: {', '.join(bad)}",
        hint=f"see why: `aiinfra logs {bad[0]}`; bring it back: `aiinfra up`",
        details={"services": bad},
    ) if bad else None  # fmt: skip
    run.done(result, error)


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


def _latency(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f} ms"
