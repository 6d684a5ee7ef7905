"""The verbs that look at a stack: ps, health."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from aiinfra.cli.invocation import SERVICES_HELP, Invocation, known, verb
from aiinfra.errors import AiinfraError, Code, Interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiinfra.commands.deep import ModelHealth
    from aiinfra.commands.health import HealthResult, ServiceHealth
    from aiinfra.commands.ps import PsRow

_PROBE_SECONDS = 5.0
_WAIT_SECONDS = 180.0
_DEEP_SECONDS = 120.0
_COLUMNS = ("SERVICE", "STATUS", "CONTAINER", "LATENCY", "WHY")


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    verb(app, "ps")(ps)
    verb(app, "health")(health)


def ps(
    run: Invocation,
    all_: Annotated[bool, typer.Option("--all", "-a", help="Stopped containers too.")] = False,  # noqa: FBT002
    stats: Annotated[bool, typer.Option("--stats", help="CPU and memory too; takes two seconds.")] = False,  # noqa: FBT002
) -> None:
    """Show the stack's containers; with --quiet only their ids."""
    from aiinfra.commands.ps import ps as act  # noqa: PLC0415

    found = act(run.target, engine=run.engine, stats=stats)
    rows = [one for one in found if all_ or one.state == "running"]
    if run.console.quiet:
        for one in rows:
            run.console.line(one.id)
    elif rows:
        columns, cells, optional = _table(rows, stats=stats)
        run.console.table(columns, cells, optional=optional)
    else:
        run.console.say(run.addressed(f"{run.target.name}: nothing is running; start it: `aiinfra up`"))
    if len(rows) < len(found):
        run.console.say(run.addressed(f"{len(found) - len(rows)} more not running: `aiinfra ps --all`"))
    run.done({"stack": run.target.name, "containers": rows})


def _table(
    rows: "Sequence[PsRow]", *, stats: bool
) -> tuple[tuple[str, ...], list[tuple[object, ...]], tuple[str, ...]]:
    columns = ["SERVICE", "STATE", "HEALTH", "REPLICA", "PORTS", "UPTIME"]
    columns += ["CPU", "MEMORY"] if stats else []
    columns += ["VERSION", "IMAGE"]
    cells = []
    for one in rows:
        uptime = "-" if one.uptime_seconds is None else _ago(one.uptime_seconds)
        ports = ", ".join(map(str, one.ports)) or "-"
        cell: list[object] = [one.service, one.state, one.health or "-", f"{one.replica}/{one.replicas}", ports, uptime]
        if stats:
            cell += [one.stats.cpu, one.stats.memory] if one.stats else ["-", "-"]
        cells.append((*cell, one.version or "-", one.image))
    return tuple(columns), cells, ("IMAGE", "VERSION", "REPLICA")


def health(
    run: Invocation,
    services: Annotated[list[str] | None, typer.Argument(help=SERVICES_HELP)] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again and again, until Ctrl-C.")] = False,  # noqa: FBT002
    interval: Annotated[float, typer.Option(min=0.2, max=3600, help="Seconds from look to look of --watch.")] = 2.0,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all are healthy.")] = False,  # noqa: FBT002
    deep: Annotated[bool, typer.Option("--deep", help="Call each model once, for money; asks first.")] = False,  # noqa: FBT002
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=86400,
            help="Seconds that the probes may take [default: 5], with --wait the waiting [default: 180], "
            "with --deep the calls of models [default: 120].",
        ),
    ] = None,
) -> None:
    """Probe every service at once. Exit code 0 only when all are healthy."""
    wanted = known(services)
    if sum((watch, wait, deep)) > 1:
        raise AiinfraError(Code.USAGE, "--watch, --wait and --deep exclude each other", hint="use one of them")
    if watch:
        _watch(run, wanted, interval, timeout or _PROBE_SECONDS)
        return
    from aiinfra.commands.health import health as act  # noqa: PLC0415

    if wait:
        from aiinfra.commands.watching import wait_healthy  # noqa: PLC0415

        result = wait_healthy(run.target, wanted, engine=run.engine, timeout=timeout or _WAIT_SECONDS)
    else:
        probe_seconds = timeout if timeout and not deep else _PROBE_SECONDS
        # Who waits has waited for our own start too.
        spent = min(time.process_time(), probe_seconds / 2)
        result = act(run.target, wanted, engine=run.engine, timeout=probe_seconds - spent)
    models = _models(run, timeout or _DEEP_SECONDS) if deep else None
    run.console.table(_COLUMNS, [_row(one) for one in result.services])
    for text in result.warnings:
        run.console.warn(f"edge: {text}; put a renewed one in its place, then `aiinfra up`")
    bad = [one.service for one in result.services if one.status != "healthy"]
    if models is not None:
        rows = [(one.alias, one.status, one.model, _latency(one.milliseconds), one.text) for one in models]
        run.console.table(("MODEL", "STATUS", "PROVIDER'S", "LATENCY", "WHY"), rows)
    failing = [one.alias for one in models or () if one.status != "healthy"]
    data = {"stack": result.stack, "status": result.status, "services": result.services, "models": models}
    run.done(data, _unhealthy(result, bad, failing))


def _unhealthy(result: "HealthResult", bad: list[str], failing: list[str]) -> AiinfraError | None:
    if not bad and not failing:
        return None
    status = result.status if bad else "degraded"
    models = f"; models that do not answer: {', '.join(dict.fromkeys(failing))}" if failing else ""
    return AiinfraError(
        Code.UNHEALTHY,
        f"{result.stack} is {status}: {', '.join(bad) or 'all services are healthy'}{models}",
        hint=f"see why: `aiinfra logs {bad[0] if bad else 'litellm'}`; bring it back: `aiinfra up`",
        details={"services": bad, "models": failing},
    )


def _models(run: Invocation, timeout: float) -> "tuple[ModelHealth, ...]":
    from aiinfra.commands.deep import call_models, models  # noqa: PLC0415

    found = models(run.target, timeout=_PROBE_SECONDS)
    costly = [f"{one.alias} ({one.model})" for one in found if not one.free]
    run.confirm("This calls each of these models once, and the providers charge for it. Go on?", costly)
    return call_models(run.target, found, timeout=timeout)


def _watch(run: Invocation, wanted: list[str], interval: float, timeout: float) -> None:
    from aiinfra.commands.watching import watch  # noqa: PLC0415

    last: object = None
    try:
        for one in watch(run.target, wanted, engine=run.engine, timeout=timeout, interval=interval):
            note = f"{one.error['message']}; looking again every {interval:g} s" if one.error else ""
            headline = f"{one.time[11:19]}Z {one.stack}"
            if run.console.as_json:
                run.console.json_line(one)
            elif not run.console.watched(headline, one.status, _COLUMNS, [_row(row) for row in one.services], note):
                # Not a terminal: a line for each change.
                now = (one.status, note, [(row.service, row.status, row.text) for row in one.services])
                reasons = note or "; ".join(_reason(row) for row in one.services if row.status != "healthy")
                if now != last:
                    run.console.line(f"{headline} {one.status}{': ' if reasons else ''}{reasons}")
                last = now
    except Interrupted as interrupted:
        run.console.stop_live()
        if interrupted.exit_code != Code.INTERRUPTED.exit_code:
            raise


def _row(one: "ServiceHealth") -> tuple[str, ...]:
    seen = ", ".join(f"{name} is {word} to it" for name, word in one.dependencies.items())
    streak = f"the engine's check failed {one.failing_streak} times: {one.last_failure}" if one.failing_streak else ""
    words = "; ".join(filter(None, (one.text, streak if streak and one.text not in one.last_failure else "")))
    return one.service, one.status, one.container, _latency(one.milliseconds), words or seen


def _reason(one: "ServiceHealth") -> str:
    return f"{one.service} is {one.status}{', ' if one.text else ''}{one.text}"


def _latency(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f} ms"


def _ago(seconds: float) -> str:
    """Return a time span in its two largest units."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{int(seconds)} s"
