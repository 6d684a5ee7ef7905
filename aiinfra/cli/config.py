"""The verbs of `config`: list, show, check, diff, new, path."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiinfra.cli.invocation import Invocation, group
from aiinfra.errors import AiinfraError, Code

if TYPE_CHECKING:
    from aiinfra.commands.config import Checked
    from aiinfra.providers import Difference

_Name = Annotated[str | None, typer.Argument(help="A provider config; the one in use when none is named.")]


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    verbs = (("list", list_), ("show", show), ("check", check), ("diff", diff), ("new", new), ("path", path))
    group(app, "config", "Show, check and make provider configs.", verbs)


def list_(run: Invocation) -> None:
    """Show all provider configs: which is in use, what each is for, and what it needs."""
    from aiinfra.commands.config import listed  # noqa: PLC0415

    rows = listed(run.target)
    run.console.table(
        ("", "NAME", "WHERE", "NEEDS", "WHAT"),
        [
            (
                "*" if one.active else "",
                one.name,
                "bundled" if one.bundled else "own",
                one.fault.splitlines()[0] if one.fault else _needs(one.needs, one.missing),
                one.what,
            )
            for one in rows
        ],
    )
    run.done({"configs": [vars(one) for one in rows]})


def show(run: Invocation, name: _Name = None) -> None:
    """Show a provider config as LiteLLM will see it, secrets hidden."""
    import yaml  # noqa: PLC0415

    from aiinfra.commands.config import active, as_data, read  # noqa: PLC0415

    config = read(run.target, name or active(run.target))
    run.console.line(yaml.safe_dump(config.shown, sort_keys=False, allow_unicode=True, width=120).rstrip())
    run.done(as_data(config))


def check(
    run: Invocation,
    name: _Name = None,
    all_: Annotated[bool, typer.Option("--all", "-a", help="Check every provider config.")] = False,  # noqa: FBT002
    quick: Annotated[bool, typer.Option("--quick", help="Leave LiteLLM's own judgement out.")] = False,  # noqa: FBT002
) -> None:
    """Find what is wrong with a provider config, last by LiteLLM itself in a container without network."""
    from aiinfra.commands.config import active, checked, names  # noqa: PLC0415

    if all_ and name:
        raise AiinfraError(Code.USAGE, "a name and --all exclude each other", hint="use one of them")
    found = [checked(run.target, one) for one in (names(run.target) if all_ else [name or active(run.target)])]
    if not quick:
        from aiinfra.commands.judge import judged  # noqa: PLC0415

        ask = partial(judged, run.target, engine=run.engine, report=run.console.report)
        found = [ask(one) if one.usable else one for one in found]
    for one in found:
        _say(run, one)
    run.done({"configs": [_as_data(one) for one in found]}, _refusal(found))


def diff(
    run: Invocation,
    first: Annotated[str, typer.Argument(metavar="A", help="A provider config.")],
    second: Annotated[
        str | None, typer.Argument(metavar="[B]", help="Another; without it, A is compared with the one in use.")
    ] = None,
) -> None:
    """Show what changes from A to B; from the config in use to A when B is not named."""
    from aiinfra.commands.config import active, compared  # noqa: PLC0415

    before, after = (first, second) if second else (active(run.target), first)
    show_difference(run, compared(run.target, before, after))
    run.done(compared(run.target, before, after))


def new(
    run: Invocation,
    name: Annotated[str, typer.Argument(help="How to call it.")],
    base: Annotated[str, typer.Option("--from", help="The provider config to begin with.")],
    extends: Annotated[  # noqa: FBT002
        bool, typer.Option("--extends", help="Write only what differs; a new version of the other one is followed.")
    ] = False,
) -> None:
    """Write litellm/NAME.yaml, a provider config of your own."""
    from aiinfra.commands.config import new as act  # noqa: PLC0415

    path = act(run.target, name, base, extends=extends)
    run.console.line(str(path))
    run.console.say(run.addressed(f"edit it, then: `aiinfra config check {name}`, and `aiinfra use-config {name}`"))
    run.done({"name": name, "file": str(path)})


def path(run: Invocation, name: _Name = None) -> None:
    """Print the file of a provider config."""
    from aiinfra.commands.config import path_of  # noqa: PLC0415

    found = path_of(run.target, name)
    run.console.line(str(found))
    run.done({"file": str(found)})


def show_difference(run: Invocation, difference: "Difference") -> None:
    if difference.empty:
        run.console.line(f"{difference.before} and {difference.after} say the same")
    for line in difference.lines():
        run.console.line(line)


def _needs(needs: tuple[str, ...], missing: tuple[str, ...]) -> str:
    return ", ".join(f"{one} (not set)" if one in missing else one for one in needs) or "nothing"


def _say(run: Invocation, found: "Checked") -> None:
    from aiinfra.commands.config import lines  # noqa: PLC0415

    for line in lines(found):
        run.console.line(line)
    by = "and LiteLLM takes it" if found.judged else "LiteLLM was not asked"
    run.console.line(f"{found.name}: {f'good, {by}' if found.usable else 'cannot be used'}")


def _as_data(found: "Checked") -> dict[str, Any]:
    return {**vars(found), "faults": [vars(one) for one in found.faults]}


def _refusal(found: "list[Checked]") -> AiinfraError | None:
    bad = [one.name for one in found if not one.usable]
    if not bad:
        return None
    return AiinfraError(
        Code.PROVIDER_CONFIG_INVALID,
        f"{', '.join(bad)} cannot be used",
        hint="mend what is named above; nothing was touched",
        details={"configs": bad},
    )
