"""`secrets retire`: the keys from before a rotation are accepted no more."""

from collections.abc import Sequence
from functools import partial

from aiinfra import disk, keys
from aiinfra.commands.apply import Applied, apply
from aiinfra.commands.secrets.rotate import named
from aiinfra.engine import Engine
from aiinfra.reporting import Event, Report
from aiinfra.target import Target


def retiring(target: Target, names: Sequence[str]) -> tuple[str, ...]:
    """Return the keys, of those named or of all, whose predecessor is still accepted."""
    before = keys.previous(keys.load(target.directory, target.name))
    return tuple(name for name in named(names) if name in before)


def retire(
    target: Target, names: Sequence[str], *, engine: Engine, report: Report, timeout: float | None = None
) -> Applied | None:
    """End the exchange of these keys: services are replaced by ones that accept the new key only.

    Also finishes a retirement that did not reach every service. Returns None when no container is there.
    Raises AiinfraError as `up` does; a service that could not be replaced still accepts the old key.
    """
    prepare = partial(_forget, target, retiring(target, names), report)
    if not engine.containers(target.name):
        prepare()
        return None
    return apply(target, "secrets retire", engine=engine, report=report, timeout=timeout, prepare=prepare)


def _forget(target: Target, names: Sequence[str], report: Report) -> None:
    if not names:
        return
    path = keys.file_for(target.directory, target.name)
    gone = {name + keys.PREVIOUS for name in names}
    disk.write(path, keys.without(path.read_text(encoding="utf-8"), gone), mode=0o600)
    report(Event("note", target.keys_file, f"retired: the old {', '.join(names)}"))
