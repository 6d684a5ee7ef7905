"""The verbs about what the gateway serves: use-config, models, chat."""

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from aiinfra.cli.invocation import Invocation, verb
from aiinfra.errors import AiinfraError, Code

if TYPE_CHECKING:
    from aiinfra.commands.use_config import Use


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    for name, function in (("use-config", use_config), ("models", models), ("chat", chat)):
        verb(app, name)(function)


def use_config(
    run: Invocation,
    name: Annotated[str, typer.Argument(help="A provider config; `-` is the one before.")],
    check: Annotated[bool, typer.Option("--check", help="Only check it, and show what would change.")] = False,  # noqa: FBT002
    probe: Annotated[  # noqa: FBT002
        bool, typer.Option("--probe", help="Send one real request to every alias; asks first where that costs.")
    ] = False,
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Seconds to wait for the new gateway [default: 180].")
    ] = None,
) -> None:
    """Let the gateway serve another provider config; undone by itself when it does not work."""
    from aiinfra.commands.use_config import check_only, prepare  # noqa: PLC0415
    from aiinfra.commands.use_config import use_config as act  # noqa: PLC0415

    use = prepare(run.target, name, engine=run.engine)
    _introduce(run, use)
    if check:
        result = check_only(run.target, use, engine=run.engine, report=run.console.report)
        run.console.say(f"{use.name}: good; nothing was touched")
        run.done(result)
        return
    if probe and use.running:
        run.confirm(f"send one real request to each alias of {use.name}? Providers charge for it.", list(use.paid))
    result = act(run.target, use, probe=probe, engine=run.engine, report=run.console.report, timeout=timeout)
    if not result.applied:
        unasked = ", and nothing was probed: the stack does not run" if probe else ""
        text = f"{use.name} is recorded, and takes effect with `aiinfra up`{unasked}"
    elif result.changed:
        text = f"{result.stack}: serves {use.name} after {result.seconds:.1f} s; back: `aiinfra use-config -`"
    else:
        text = f"{result.stack}: served {use.name} already, and still does; nothing was touched"
    run.console.say(run.addressed(text))
    run.done(result)


def models(
    run: Invocation,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds that the gateway may take.")] = 10.0,
) -> None:
    """Show the aliases that the running gateway serves, and the models behind them; costs nothing."""
    from aiinfra.commands.models import models as act  # noqa: PLC0415

    found = act(run.target, timeout=timeout)
    rows = [
        (one.alias if index == 0 else "", deployment.model, deployment.health or "(asking costs)")
        for one in found
        for index, deployment in enumerate(one.deployments)
    ]
    rows += [(one.alias, "-", "fails on purpose") for one in found if not one.deployments]
    run.console.table(("ALIAS", "MODEL", "HEALTH"), rows)
    run.done({"models": [{"alias": one.alias, "deployments": [vars(it) for it in one.deployments]} for one in found]})


def chat(
    run: Invocation,
    text: Annotated[str, typer.Argument(help="What to say; `-` reads standard input.")],
    model: Annotated[str, typer.Option("--model", "-m", help="An alias of the gateway.")] = "default",
    timeout: Annotated[float, typer.Option(min=1, max=3600, help="Seconds to wait for each piece.")] = 120.0,
) -> None:
    """Send one request through the gateway and print the answer as it comes."""
    from aiinfra.commands.chat import chat as act  # noqa: PLC0415

    said = sys.stdin.read() if text == "-" else text
    if not said.strip():
        raise AiinfraError(Code.USAGE, "there is nothing to say", hint='give a text: `aiinfra chat "..."`')
    answer, usage, served = "", None, ""
    with closing(act(run.target, said, model=model, timeout=timeout)) as pieces:
        for piece in pieces:
            answer += piece.text
            usage, served = piece.usage or usage, piece.model or served
            run.console.piece(piece.text)
    run.console.line("")
    if usage:
        tokens = f"{usage.get('prompt_tokens')} tokens in, {usage.get('completion_tokens')} out"
        run.console.say(f"{served or model}: {tokens}")
    run.done({"model": served or model, "text": answer, "usage": usage})


def _introduce(run: Invocation, use: "Use") -> None:
    run.console.say(f"from {use.before} to {use.name}:")
    if use.difference is None:
        run.console.say(f"{use.before} cannot be read any more, so there is nothing to compare with")
    else:
        for line in use.difference.lines() if not use.difference.empty else ["they say the same"]:
            run.console.say(f"  {line}")
    for warning in use.warnings:
        run.console.warn(warning)
