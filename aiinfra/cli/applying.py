"""The verbs that bring a stack to where its settings say: init, up."""

from pathlib import Path
from typing import Annotated

import typer

from aiinfra.cli.applied import end
from aiinfra.cli.invocation import SERVICES_HELP, Invocation, known, verb
from aiinfra.errors import AiinfraError, Code

_IN_PLACE_HELP = "Replace single containers while requests wait in the edge, where memory is short for two."
_Services = Annotated[list[str] | None, typer.Argument(help=SERVICES_HELP)]
_Timeout = Annotated[
    int | None, typer.Option(min=1, help="Seconds to wait for every service to be healthy [default: 180].")
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    for name, function in (
        ("init", init),
        ("up", up),
        ("plan", plan),
        ("restart", restart),
        ("rebuild", rebuild),
        ("history", history),
        ("rollback", rollback),
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
    services: _Services = None,
    build: Annotated[
        bool | None,
        typer.Option(
            "--build/--no-build", help="Build our images even when they are here / never [default: when missing]."
        ),
    ] = None,
    pull: Annotated[bool, typer.Option("--pull", help="Pull newer base images first.")] = False,  # noqa: FBT002
    scale: Annotated[
        list[str] | None,
        typer.Option(metavar="SERVICE=N", help="How many replicas, for this once; the settings otherwise."),
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help=_IN_PLACE_HELP)] = False,  # noqa: FBT002
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Do not wait until it is healthy.")] = False,  # noqa: FBT002
    timeout: _Timeout = None,
) -> None:
    """Bring the stack up: build what changed, start what is missing, wait until all is healthy."""
    from aiinfra.commands.up import up as act  # noqa: PLC0415

    result = act(
        run.target,
        known(services),
        engine=run.engine,
        report=run.console.report,
        timeout=timeout,
        detach=detach,
        build=build,
        pull=pull,
        scale=_numbers(scale or []),
        in_place=in_place,
    )
    end(run, result)


def plan(run: Invocation, services: _Services = None) -> None:
    """Show what `up` would do and why, touching nothing. Exit code 0: nothing to do, 10: something."""
    from aiinfra.commands.plan import plan as act  # noqa: PLC0415

    result = act(run.target, known(services), engine=run.engine)
    rows = [(one.service, one.action, one.reason) for one in result.services]
    run.console.table(("SERVICE", "WOULD", "WHY"), rows)
    for word, names in (
        ("generate", result.keys), ("pull", result.pulls), ("build", result.builds), ("remove", result.removed)
    ):  # fmt: skip
        for name in names:
            run.console.line(f"{word:<8} {name}")
    run.console.say(f"{result.stack}: {'`aiinfra up` would change this' if result.changed else 'nothing to do'}")
    run.done(result)
    if result.changed:
        raise typer.Exit(10)


def restart(run: Invocation, services: _Services = None, timeout: _Timeout = None) -> None:
    """Restart services in order of dependency, with current settings. The edge only when it is named."""
    from aiinfra.commands.restart import restart as act  # noqa: PLC0415

    end(run, act(run.target, known(services), engine=run.engine, report=run.console.report, timeout=timeout))


def rebuild(
    run: Invocation,
    services: Annotated[
        list[str] | None, typer.Argument(help="Services: litellm, mpc-api. Both when none is named.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Use nothing that earlier builds left.")] = False,  # noqa: FBT002
    pull: Annotated[bool, typer.Option("--pull", help="Pull newer base images first.")] = False,  # noqa: FBT002
    timeout: _Timeout = None,
) -> None:
    """Build images anew and replace what runs them. A build that fails touches nothing."""
    from aiinfra.commands.rebuild import rebuild as act  # noqa: PLC0415

    result = act(
        run.target,
        known(services),
        engine=run.engine,
        report=run.console.report,
        timeout=timeout,
        cached=not no_cache,
        pull=pull,
    )
    end(run, result)


def history(run: Invocation) -> None:
    """Show the applied states that are kept, newest first: the last five, and the last five healthy ones."""
    from aiinfra.commands.history import history as act  # noqa: PLC0415

    result = act(run.target)
    rows = [
        (
            one.number,
            one.at,
            one.verb + ("" if one.whole else " (some services)"),
            one.provider_config,
            "healthy" if one.healthy else "not healthy",
            "current" if one.current else "rollback goes here" if one.default else "",
        )
        for one in result.generations
    ]
    if rows:
        run.console.table(("GENERATION", "WHEN", "BY", "PROVIDER CONFIG", "BECAME", ""), rows)
    else:
        run.console.say(run.addressed(f"{result.stack}: nothing was applied yet; start it: `aiinfra up`"))
    for name in result.damaged:
        run.console.warn(f"{name}: it cannot be read, and cannot be gone back to")
    run.done(result)


def rollback(
    run: Invocation,
    generation: Annotated[
        int | None, typer.Argument(help="Number in `aiinfra history` [default: the last healthy one before this].")
    ] = None,
    timeout: _Timeout = None,
) -> None:
    """Go back to an applied state: files, images and provider config of then, keys and data of today."""
    from aiinfra.commands.rollback import rollback as act  # noqa: PLC0415

    result = act(run.target, generation, engine=run.engine, report=run.console.report, timeout=timeout)
    run.console.say(
        run.addressed("the next `aiinfra up` applies aiinfra.yaml again; `aiinfra plan` shows what it would do")
    )
    end(run, result)


def _numbers(given: list[str]) -> dict[str, int]:
    found = {}
    for text in given:
        service, _, number = text.partition("=")
        if service not in ("litellm", "mpc-api") or number not in tuple("12345678"):
            raise AiinfraError(
                Code.USAGE, f"--scale: '{text}' is refused", hint="use litellm=N or mpc-api=N, with N from 1 to 8"
            )
        found[service] = int(number)
    return found
