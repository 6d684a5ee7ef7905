"""`secrets rotate`: new keys, rolled through the services, which accept the old ones too until they are retired."""

from collections.abc import Sequence
from functools import partial

from aiinfra import disk, keys, quoting
from aiinfra.commands.apply import Applied, apply
from aiinfra.commands.decide import decide
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.reporting import Event, Report
from aiinfra.target import Target


def rotate(
    target: Target, names: Sequence[str], *, engine: Engine, report: Report, timeout: float | None = None
) -> Applied | None:
    """Give the stack new keys; all of its own when none is named. Returns None when no container is there.

    The services that take a key accept both from here on, so that a client with the old one loses nothing. On a
    stopped stack the new keys take effect with the next `up`.
    Raises AiinfraError: EXCHANGE_OPEN before anything is touched when a key's predecessor is still accepted, else
    what `up` raises; where nothing runs with the new keys yet, the old ones are put back.
    """
    chosen = named(names)
    _refuse_open(target, chosen)
    decide(target, engine)
    before = {one.id for one in engine.containers(target.name)}
    if not before:
        _exchange(target, chosen, report)
        return None
    path = keys.file_for(target.directory, target.name)
    text = path.read_text(encoding="utf-8")
    prepare = partial(_exchange, target, chosen, report)
    try:
        return apply(target, "secrets rotate", engine=engine, report=report, timeout=timeout, prepare=prepare)
    except AiinfraError as error:
        if {one.id for one in engine.containers(target.name)} == before:
            disk.write(path, text, mode=0o600)
            raise
        error.hint = f"{error.hint}; the old keys are still accepted everywhere: mend it, then `aiinfra up` finishes"
        raise


def named(names: Sequence[str]) -> tuple[str, ...]:
    """Return the own keys of these names, all when there are none. Raises USAGE for what is no own key."""
    own = [key.name for key in keys.OWN_KEYS]
    unknown = [name for name in names if name not in own]
    if unknown:
        raise AiinfraError(
            Code.USAGE,
            f"'{unknown[0]}' is no key that the stack makes up itself",
            hint=f"known: {', '.join(own)}; a provider's key is changed in .env, then `aiinfra up`",
        )
    return tuple(name for name in own if name in names or not names)


def _refuse_open(target: Target, names: Sequence[str]) -> None:
    values = keys.load(target.directory, target.name)
    still = [name for name in names if name in keys.previous(values)]
    if still:
        raise AiinfraError(
            Code.EXCHANGE_OPEN,
            f"{', '.join(still)}: the key from the last rotation is still accepted",
            hint="when every client has the new one: `aiinfra secrets retire`; nothing was touched",
            details={"keys": still},
        )


def _exchange(target: Target, names: Sequence[str], report: Report) -> None:
    _refuse_open(target, names)  # again, now that nobody else can change it
    path = keys.file_for(target.directory, target.name)
    values = keys.read(path)
    made = {key.name: key.generate() for key in keys.OWN_KEYS if key.name in names}
    before = {name + keys.PREVIOUS: values[name] for name in names if values.get(name)}
    new = {**made, **before}
    kept = keys.without(path.read_text(encoding="utf-8") if path.exists() else "", new)
    disk.write(path, kept + quoting.written(new, "dotenv"), mode=0o600)
    report(Event("note", target.keys_file, f"new keys: {', '.join(names)}; the old ones are accepted until retired"))
