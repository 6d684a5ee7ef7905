"""`config`: the provider configs there are, what they say, and whether they can be used."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiinfra import disk, keys, providers, workspace
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import active_config
from aiinfra.providers import Difference, Fault, ProviderConfig
from aiinfra.stack import Stack, wanted_ports
from aiinfra.target import Target, running


@dataclass(frozen=True)
class ConfigRow:
    """`needs` are variables, `missing` those of them that are not set; `fault` is why it cannot be read."""

    name: str
    active: bool
    bundled: bool
    file: str
    what: str
    needs: tuple[str, ...]
    missing: tuple[str, ...]
    fault: str = ""


@dataclass(frozen=True)
class Checked:
    """What was found about one config; `judged` says whether LiteLLM itself was asked."""

    name: str
    file: str
    usable: bool
    judged: bool
    faults: tuple[Fault, ...]
    words: str = ""


def active(target: Target) -> str:
    return active_config(target.settings, target.workspace.state())


def read(target: Target, name: str) -> ProviderConfig:
    """Return a config as it would be rendered now. Raises AiinfraError when it cannot be read."""
    return providers.load(name, target.directory, _values(target), target.settings.models)


def names(target: Target) -> list[str]:
    return list(providers.sources(target.directory))


def listed(target: Target) -> tuple[ConfigRow, ...]:
    now, values = active(target), _values(target)
    return tuple(_row(target, name, now, values) for name in providers.sources(target.directory))


def checked(target: Target, name: str) -> Checked:
    """Check a config without starting anything."""
    values = _values(target)
    source = providers.sources(target.directory).get(name)
    file = source.file if source else ""
    try:
        config = providers.load(name, target.directory, values, target.settings.models)
    except AiinfraError as error:
        if source is None:
            raise
        return Checked(name, file, usable=False, judged=False, faults=(), words=error.message)
    found = providers.faults(config, values, target.keys_file)
    usable = all(one.severity != "error" for one in found)
    return Checked(name, file, usable, judged=False, faults=found)


def insist(target: Target, config: ProviderConfig) -> tuple[Fault, ...]:
    """Return the warnings about a config. Raises AiinfraError (exit 3) with every error in it."""
    return providers.check(config, _values(target), target.keys_file)


def stack_of(target: Target) -> Stack:
    """Return the stack as it is known, or as it would be made now."""
    state = target.workspace.state()
    if state is not None:
        return running(target)
    wanted = wanted_ports(target.name, target.settings)
    identity = workspace.new_identity(wanted, target.settings.ports.address)
    return Stack(target.name, target.directory, target.settings, identity)


def compared(target: Target, before: str, after: str) -> Difference:
    return providers.difference(read(target, before), read(target, after))


def new(target: Target, name: str, base: str, *, extends: bool) -> Path:
    """Write `litellm/NAME.yaml`: a copy of another config, or a few lines that extend it; return its path."""
    if not name or name.startswith(".") or not all(one.isalnum() or one in "._-" for one in name):
        raise AiinfraError(Code.USAGE, f"'{name}' is no name for a file", hint="use letters, digits, '-' and '_'")
    config = read(target, base)
    path = target.directory / providers.FOLDER / f"{name}.yaml"
    own = providers.sources(target.directory).get(name)
    if own and not own.bundled:
        raise AiinfraError(Code.USAGE, f"{own.path} is there already", hint="choose another name, or edit it")
    text = _extending(name, base) if extends else config.text
    path.parent.mkdir(exist_ok=True)
    disk.write(path, text)
    return path


def path_of(target: Target, name: str | None) -> Path:
    return read(target, name or active(target)).source.path


def _values(target: Target) -> dict[str, str]:
    return keys.load(target.directory, target.name)


def _row(target: Target, name: str, now: str, values: dict[str, str]) -> ConfigRow:
    source = providers.sources(target.directory)[name]
    what = providers.description(source).get("what", "")
    try:
        config = providers.load(name, target.directory, values, target.settings.models)
    except AiinfraError as error:
        return ConfigRow(name, name == now, source.bundled, str(source.path), what, (), (), error.message)
    own = {key.name for key in keys.OWN_KEYS}
    found = providers.faults(config, values, target.keys_file)
    missing = tuple(dict.fromkeys(one.variable for one in found if one.variable and not values.get(one.variable)))
    needs = tuple(one for one in config.variables if one not in own and one not in providers.PROVIDED)
    return ConfigRow(name, name == now, source.bundled, str(source.path), what, needs, missing)


def _extending(name: str, base: str) -> str:
    return (
        f"# {name}: {base}, with what is different here.\n"
        "#\n"
        "# A mapping is merged key by key, null takes a key out, any other value replaces what was there. In\n"
        f"# model_list, an alias named here loses its deployments of {base}; all other aliases stay.\n"
        f"extends: {base}\n"
    )


def lines(found: Checked) -> Iterator[str]:
    """Yield what was found about a config, as people read it."""
    if found.words:
        yield f"error: {found.words}"
    for one in found.faults:
        yield f"{one.severity}: {one}"


def as_data(config: ProviderConfig) -> dict[str, Any]:
    return {"name": config.name, "file": str(config.source.path), "config": config.shown}
