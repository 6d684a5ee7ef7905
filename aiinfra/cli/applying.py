"""The verbs that bring a stack to where its settings say: init, up."""

from pathlib import Path
from typing import Annotated

import typer

from aiinfra.cli.invocation import Invocation, verb

_WHAT = {
    "unchanged": "unchanged",
    "create": "created",
    "start": "started: {}",
    "scale": "scaled: {}",
    "recreate": "recreated: {}",
}


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    for name, function in (
        ("init", init),
        ("up", up),
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
