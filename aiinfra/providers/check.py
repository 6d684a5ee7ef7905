"""Everything that can be said about a provider config without starting anything."""

from collections.abc import Iterator, Mapping

from aiinfra.providers.config import ProviderConfig
from aiinfra.providers.fault import Fault, fault, refuse
from aiinfra.providers.needs import PROVIDED, REFERENCE
from aiinfra.providers.place import Path, Rows, Table, dotted, place_of, strings


def faults(config: ProviderConfig, values: Mapping[str, str], file_name: str) -> tuple[Fault, ...]:
    """Return all faults. `values` are the variables of `file_name`, the stack's .env."""
    return (*config.faults, *_shapeless(config), *_missing(config, values, file_name))


def check(config: ProviderConfig, values: Mapping[str, str], file_name: str) -> None:
    """Raise AiinfraError (exit 3) with every fault of a config: LiteLLM would start, and then fail every request."""
    refuse(config.name, faults(config, values, file_name))


def _shapeless(config: ProviderConfig) -> Iterator[Fault]:
    models = config.data.get("model_list")
    if not isinstance(models, Rows) or not models:
        yield fault(config.data, ("model_list",), "it has no list of models", "list at least one deployment")
        return
    for index, one in enumerate(models):
        if not isinstance(one, Table) or not isinstance(one.get("model_name"), str):
            path = ("model_list", index)
            yield fault(config.data, path, "it has no model_name", "name the alias that clients ask for")


def _missing(config: ProviderConfig, values: Mapping[str, str], file_name: str) -> Iterator[Fault]:
    first: dict[str, Path] = {}
    for path, text in strings(config.data):
        for name in REFERENCE.findall(text):
            first.setdefault(name, path)
    for name, path in first.items():
        if not values.get(name) and name not in PROVIDED:
            place = place_of(config.data, path)
            how = "is empty" if name in values else "is not set"
            fix = f"set {name}=... in {file_name}"
            yield Fault(place.file, place.line, dotted(path), f"{name} {how}", fix, variable=name)
