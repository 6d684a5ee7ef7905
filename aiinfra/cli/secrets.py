"""The verbs of `secrets`: list, rotate, retire."""

from typing import Annotated

import typer

from aiinfra.cli.applied import show
from aiinfra.cli.invocation import Invocation, group

_Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...", help="LITELLM_MASTER_KEY, MPC_API_KEY, REDIS_PASSWORD. All when none is named."
    ),
]
_Timeout = Annotated[int | None, typer.Option(min=1, help="Seconds to wait for every service to be healthy.")]


def register(app: typer.Typer) -> None:
    verbs = (("list", list_), ("rotate", rotate), ("retire", retire))
    group(app, "secrets", "The stack's own keys: new ones, without locking anybody out.", verbs)


def list_(run: Invocation) -> None:
    """Show which keys the stack has, and which are being exchanged; never a value."""
    from aiinfra.commands.secrets.listing import listing  # noqa: PLC0415

    rows = listing(run.target)
    run.console.table(("KEY", "STATE", "FILE", ""), [(row.name, row.state, row.file, row.meaning) for row in rows])
    run.done({"stack": run.target.name, "keys": [vars(row) for row in rows]})


def rotate(run: Invocation, names: _Names = None, timeout: _Timeout = None) -> None:
    """Give the stack new keys; services accept the old ones too, until `secrets retire`."""
    from aiinfra.commands.secrets.rotate import named  # noqa: PLC0415
    from aiinfra.commands.secrets.rotate import rotate as act  # noqa: PLC0415

    result = act(run.target, names or (), engine=run.engine, report=run.console.report, timeout=timeout)
    rotated = named(names or ())
    if result is None:
        run.console.say(run.addressed(f"{run.target.name}: not running; the new keys take effect with `aiinfra up`"))
        run.done({"stack": run.target.name, "rotated": rotated, "applied": None})
        return
    show(run, result)
    run.console.say(
        run.addressed(
            f"new keys are in {run.target.keys_file}; give them to your clients (`aiinfra env`), "
            "then end the old ones: `aiinfra secrets retire`"
        )
    )
    run.done({"stack": run.target.name, "rotated": rotated, "applied": result})


def retire(run: Invocation, names: _Names = None, timeout: _Timeout = None) -> None:
    """Accept the keys from before the last rotation no more."""
    from aiinfra.commands.secrets.retire import retire as act  # noqa: PLC0415
    from aiinfra.commands.secrets.retire import retiring  # noqa: PLC0415

    old = retiring(run.target, names or ())
    run.confirm("Refuse clients that still use the old value of these keys?", list(old))
    result = act(run.target, names or (), engine=run.engine, report=run.console.report, timeout=timeout)
    if result is not None:
        show(run, result)
    run.console.say(f"retired: {', '.join(old)}" if old else "no key from before a rotation is accepted any more")
    run.done({"stack": run.target.name, "retired": old, "applied": result})
