"""What changes for clients and operators from one provider config to another; no secret is in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiinfra.providers.config import ProviderConfig
from aiinfra.providers.place import Table, dotted
from aiinfra.providers.secrecy import redacted

_SECTIONS = ("router_settings", "litellm_settings", "general_settings")
_NOTHING = "(not set)"


@dataclass(frozen=True)
class Difference:
    """`aliases` and `models` (ALIAS -> PROVIDER/NAME) appear or go; `settings` are (key, before, after)."""

    before: str
    after: str
    aliases_added: tuple[str, ...]
    aliases_removed: tuple[str, ...]
    models_added: tuple[str, ...]
    models_removed: tuple[str, ...]
    settings: tuple[tuple[str, str, str], ...]
    variables_added: tuple[str, ...]
    variables_removed: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not any(value for name, value in vars(self).items() if name not in ("before", "after"))

    def lines(self) -> Iterator[str]:
        """Yield the difference as people read it."""
        for word, added, removed in (
            ("alias", self.aliases_added, self.aliases_removed),
            ("model", self.models_added, self.models_removed),
            ("variable", self.variables_added, self.variables_removed),
        ):
            yield from (f"- {word} {name}" for name in removed)
            yield from (f"+ {word} {name}" for name in added)
        for key, before, after in self.settings:
            yield f"~ {key}: {before} -> {after}"


def difference(before: ProviderConfig, after: ProviderConfig) -> Difference:
    old_models, new_models = _models(before.data), _models(after.data)
    return Difference(
        before.name,
        after.name,
        _without(after.aliases, before.aliases),
        _without(before.aliases, after.aliases),
        _without(new_models, old_models),
        _without(old_models, new_models),
        tuple(_settings(before.data, after.data)),
        _without(after.variables, before.variables),
        _without(before.variables, after.variables),
    )


def _without(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in some if one not in others)


def _models(data: Table) -> tuple[str, ...]:
    found = []
    for one in data.get("model_list") or ():
        parameters = one.get("litellm_params") if isinstance(one, dict) else None
        if isinstance(parameters, dict):
            found.append(f"{one.get('model_name')} -> {parameters.get('model')}")
    return tuple(dict.fromkeys(found))


def _settings(before: Table, after: Table) -> Iterator[tuple[str, str, str]]:
    old, new = _flat(before), _flat(after)
    for key in dict.fromkeys((*old, *new)):
        if old.get(key, _NOTHING) != new.get(key, _NOTHING):
            yield key, old.get(key, _NOTHING), new.get(key, _NOTHING)


def _flat(data: Table) -> dict[str, str]:
    shown: Mapping[str, Any] = redacted({name: data[name] for name in _SECTIONS if isinstance(data.get(name), dict)})
    return {
        dotted((section, key)): str(value) for section, settings in shown.items() for key, value in settings.items()
    }
