"""The verbs of a stack's life: init, up, down, ps, health, logs."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from aiinfra.cli.invocation import Invocation, verb
from aiinfra.errors import AiinfraError, Code, Interrupted

_WHAT = {"unchanged": "unchanged", "create": "created", "start": "started: {}", "recreate": "recreated: {}"}
_SERVICES_HELP = "Services: redis, litellm, mpc-api, edge. All when none is named."


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    for name, function in (
        ("init", init),
        ("up", up),
        ("down", down),
        ("ps", ps),
        ("health", health),
        ("logs", logs),
    ):
        verb(app, name)(function)


def init(run: Invocation) -> None:
    """Write aiinfra.yaml, .env with strong keys, and .gitignore; keeps what is there."""
    from aiinfra.commands.init import init as act  # noqa: PLC0415

    result = act(run.target_here)
    for word, names in (("written", result.written), ("kept", result.kept)):
        for name in names:
            run.console.line(f"{word:<8} {Path(result.directory, name)}")
    run.console.say("next: `aiinfra up`")
    run.done(result)


def up(
    run: Invocation,
    timeout: Annotated[
        int | None,
        typer.Option(min=1, help="Seconds to wait for every service to be healthy [default: 180]."),
    ] = None,
) -> None:
    """Bring the stack up: build what changed, start what is missing, wait until all is healthy."""
    from aiinfra.commands.up import up as act  # noqa: PLC0415

    result = act(run.target, engine=run.engine, report=run.console.report, timeout=timeout)
    rows = [
        (
            one.service,
            _WHAT[one.action].format(one.reason),
            "-" if one.seconds is None else f"{one.seconds:.1f} s",
            one.url or "",
        )
        for one in result.services
    ]
    run.console.table(("SERVICE", "WHAT", "HEALTHY AFTER", "URL"), rows)
    state = "ready" if result.changed else "unchanged"
    run.console.say(
        f"{result.stack}: {state} after {result.seconds:.1f} s, provider config {result.provider_config}; "
        f"keys are in {run.target.keys_file}"
    )
    run.done(result)


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
    services: Annotated[list[str] | None, typer.Argument(help=_SERVICES_HELP)] = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds that each probe may take.")] = 5.0,
) -> None:
    """Probe every service at once. Exit code 0 only when all are healthy."""
    from aiinfra.commands.health import health as act  # noqa: PLC0415

    result = act(run.target, _known(services), engine=run.engine, timeout=timeout)
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
    services: Annotated[list[str] | None, typer.Argument(help=_SERVICES_HELP)] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,  # noqa: FBT002
    tail: Annotated[str, typer.Option("--tail", "-n", help="Lines from the end of each service, or `all`.")] = "100",
) -> None:
    """Show what the services wrote; with --json one object a line."""
    from aiinfra.commands.logs import logs as act  # noqa: PLC0415

    if tail != "all" and not (tail.isascii() and tail.isdigit()):
        raise AiinfraError(Code.USAGE, f"--tail: '{tail}' is not a number of lines", hint="use a number, or `all`")
    wanted = _known(services)
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


def _known(services: list[str] | None) -> list[str]:
    from aiinfra.stack import SERVICES  # noqa: PLC0415

    unknown = [name for name in services or () if name not in SERVICES]
    if unknown:
        raise AiinfraError(Code.USAGE, f"there is no service '{unknown[0]}'", hint=f"services: {', '.join(SERVICES)}")
    return services or []


def _latency(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f} ms"
