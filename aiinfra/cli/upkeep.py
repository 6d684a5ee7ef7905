"""The verbs of upkeep: ls, prune, reset, backup, restore, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from aiinfra.cli.invocation import Invocation, verb
from aiinfra.errors import AiinfraError, Code


def register(app: typer.Typer) -> None:
    """Add the verbs to the application, in the order that `--help` shows."""
    for name, function in (
        ("ls", ls),
        ("prune", prune),
        ("reset", reset),
        ("backup", backup),
        ("restore", restore),
        ("doctor", doctor),
    ):
        verb(app, name)(function)


def ls(run: Invocation) -> None:
    """List every stack on this engine, from all directories."""
    from aiinfra.commands.ls import ls as act  # noqa: PLC0415

    found = act(engine=run.engine)
    if found:
        run.console.table(
            ("STACK", "STATE", "HEALTH", "PORTS", "PROVIDER CONFIG", "DIRECTORY"),
            [
                (
                    one.name,
                    one.state,
                    one.health,
                    ", ".join(f"{service} {port}" for service, port in one.ports.items()),
                    one.provider_config,
                    one.directory if one.directory_found else f"{one.directory} (gone)",
                )
                for one in found
            ],
        )
    else:
        run.console.say("there is no stack on this engine; make one: `aiinfra up`")
    run.done({"stacks": found})


def prune(
    run: Invocation,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,  # noqa: FBT002
    volumes: Annotated[  # noqa: FBT002
        bool, typer.Option("--volumes", help="The data of stacks whose directories are gone, too.")
    ] = False,
) -> None:
    """Remove what aiinfra made and nothing uses: old images, build cache, leftovers of dead stacks."""
    from aiinfra.commands.prune import dry, look  # noqa: PLC0415
    from aiinfra.commands.prune import prune as act  # noqa: PLC0415

    found = look(run.directory, engine=run.engine, volumes=volumes)
    if not dry_run:
        words = [f"{one.kind} {one.name} ({_size(one.size)}): {one.why}" for one in found.items]
        run.confirm("Remove all of these?", words)
    report = run.console.report
    result = dry(found) if dry_run else act(run.directory, found, engine=run.engine, report=report)
    if result.items:
        rows = [(one.kind, one.name, _size(one.size), one.why) for one in result.items]
        run.console.table(("WHAT", "NAME", "SIZE", "WHY"), rows)
        run.console.say(f"{'would free' if dry_run else 'freed'} {_size(result.freed)}")
    else:
        run.console.say("there is nothing to remove")
    run.done(result)


def reset(
    run: Invocation,
    keys: Annotated[bool, typer.Option("--keys", help="The stack's keys in its .env, too.")] = False,  # noqa: FBT002
    images: Annotated[bool, typer.Option("--images", help="The stack's images, too.")] = False,  # noqa: FBT002
    backup: Annotated[
        bool | None, typer.Option("--backup/--no-backup", help="Back the data up first, or do not; asks otherwise.")
    ] = None,
    timeout: Annotated[int | None, typer.Option(min=0, help="Seconds each container gets to stop.")] = None,
) -> None:
    """Remove everything of the stack: containers, networks, data, rendered files."""
    from aiinfra.commands.reset import look  # noqa: PLC0415
    from aiinfra.commands.reset import reset as act  # noqa: PLC0415

    doomed = look(run.target, engine=run.engine, images=images, keys_too=keys)
    run.confirm(f"Remove all of these, which is all of the stack '{run.target.name}'?", doomed.words)
    file = _backup_first(run, wanted=backup) if doomed.volumes else None
    result = act(run.target, doomed, engine=run.engine, report=run.console.report, backup=file, timeout=timeout)
    run.console.stop_live()
    if file:
        run.console.line(f"backup   {file}")
    for name in result.removed:
        run.console.line(f"removed  {name}")
    if not result.removed:
        run.console.say(f"{result.stack}: nothing was there")
    run.done(result)


def _backup_first(run: Invocation, *, wanted: bool | None) -> str | None:
    from aiinfra.commands.backup import backup, default_file  # noqa: PLC0415

    file = default_file(run.target)
    if wanted is None:
        wanted = bool(run.options.get("yes")) or run.console.confirm("Back these data up first?", [f"to {file}"])
    if not wanted:
        return None
    return backup(run.target, file, engine=run.engine, report=run.console.report).file


def backup(
    run: Invocation,
    file: Annotated[Path | None, typer.Argument(help="Where to [default: STACK-TIME.backup.tar.gz].")] = None,
    keys: Annotated[bool, typer.Option("--keys", help="The stack's keys (.env), too: they are secret.")] = False,  # noqa: FBT002
) -> None:
    """Write Redis data and settings to one file. Keys are not in it unless --keys is given."""
    from aiinfra.commands.backup import backup as act  # noqa: PLC0415
    from aiinfra.commands.backup import default_file  # noqa: PLC0415

    path = Path.cwd() / file if file else default_file(run.target)
    if path.is_dir():
        path /= default_file(run.target).name
    if path.exists():
        run.confirm("Replace this file?", [str(path)])
    result = act(run.target, path, engine=run.engine, report=run.console.report, secrets=keys)
    run.console.stop_live()
    run.console.line(result.file)
    has = "with" if result.has_secrets else "without"
    run.console.say(f"{_size(result.size)}: {result.keys} keys of Redis, settings, {has} the secrets of the .env")
    run.done(result)


def restore(
    run: Invocation,
    file: Annotated[Path, typer.Argument(help="What `aiinfra backup` wrote.")],
    settings: Annotated[  # noqa: FBT002
        bool, typer.Option("--settings", help="aiinfra.yaml and your provider configs, too.")
    ] = False,
    keys: Annotated[bool, typer.Option("--keys", help="The stack's keys (.env), too.")] = False,  # noqa: FBT002
) -> None:
    """Put a backup's data back into Redis; the old data stay until the new ones are proven."""
    from aiinfra.commands.restore import restore as act  # noqa: PLC0415
    from aiinfra.commands.restore import volume_at_stake  # noqa: PLC0415

    path = Path.cwd() / file
    run.confirm("Replace the data in this volume?", volume_at_stake(run.target, engine=run.engine))
    result = act(run.target, path, engine=run.engine, report=run.console.report, settings_too=settings, keys_too=keys)
    run.console.stop_live()
    run.console.line(f"restored {result.keys} keys of '{result.from_stack}' from {result.created}")
    for name in result.written:
        run.console.line(f"written  {name}")
    for name in result.differing:
        run.console.say(f"{name} differs from the backup; to put it back: --settings")
    run.done(result)


def doctor(
    run: Invocation,
    bundle: Annotated[Path | None, typer.Option(help="Write a support archive, without secrets, to this file.")] = None,
) -> None:
    """Look for every known cause of trouble, and say the fix. Exit code 0 only without an error."""
    from aiinfra.commands.doctor import Scene  # noqa: PLC0415
    from aiinfra.commands.doctor import doctor as act  # noqa: PLC0415

    file = Path.cwd() / bundle if bundle else None
    scene = Scene(run.directory, run.stack_name, run.engine)
    result = act(scene)
    for one in result.findings:
        run.console.line(f"{one.level:<8} {one.check}: {one.text}")
        if one.fix:
            run.console.line(f"{'':<8} {run.addressed(one.fix)}")
    if file:
        from aiinfra.commands.doctor.bundle import write  # noqa: PLC0415

        write(file, scene, result)
        run.console.say(f"{file}: everything that was found, without secrets; look through it before you send it")
    bad = [one for one in result.findings if one.level == "error"]
    error = AiinfraError(
        Code.UNSOUND,
        f"{len(bad)} found: {', '.join(dict.fromkeys(one.check for one in bad))}",
        hint=bad[0].fix,
        details={"checks": sorted({one.check for one in bad})},
    ) if bad else None  # fmt: skip
    run.done({"findings": result.findings, "sound": result.sound, "bundle": str(file) if file else None}, error)


def _size(number: int) -> str:
    if number < 0:
        return "size unknown"
    units = ("B", "kB", "MB", "GB", "TB")
    power = min(max(len(str(number)) - 1, 0) // 3, len(units) - 1)
    return f"{number / 1000**power:.{1 if power else 0}f} {units[power]}"
