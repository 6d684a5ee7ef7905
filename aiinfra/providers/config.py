"""Find, render and read one provider config."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aiinfra.errors import AiinfraError, Code
from aiinfra.models import Models
from aiinfra.providers import needs
from aiinfra.providers.document import document
from aiinfra.providers.extending import KEY, extended
from aiinfra.providers.fault import Fault
from aiinfra.providers.place import Rows, Table, plain
from aiinfra.providers.secrecy import redacted
from aiinfra.providers.source import Source, bundled, sources
from aiinfra.providers.text import text_of, unreadable

_MOCK = "mock/"
_REQUEST_LOG = "request_log.handler"


@dataclass(frozen=True)
class ProviderConfig:
    """A LiteLLM config as LiteLLM will read it.

    `text` is what is rendered, `data` the same as data, with places. `variables` are the environment variables
    that it refers to
    or that LiteLLM reads for it, `aliases` the model names that it serves. `faults` are those found while reading.
    """

    name: str
    source: Source
    text: str
    data: Table
    variables: tuple[str, ...]
    aliases: tuple[str, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def shown(self) -> Any:  # noqa: ANN401 - YAML
        """What LiteLLM will read, as data, with every secret hidden."""
        return redacted(plain(self.data))

    @property
    def free_aliases(self) -> tuple[str, ...]:
        """The aliases that the mock provider alone serves, without those that fail on purpose."""
        costly = {one["model_name"] for one in self._deployments() if not _model(one).startswith(_MOCK)}
        return tuple(one for one in self.aliases if one not in costly and not one.startswith(_MOCK) and "*" not in one)

    def model_of(self, alias: str) -> str:
        """Return the provider's model of the first deployment of an alias; "" when there is none."""
        return next((_model(one) for one in self._deployments() if one["model_name"] == alias), "")

    def dropped(self, served: Iterable[str]) -> tuple[str, ...]:
        """Return the aliases of which LiteLLM serves fewer deployments than the config has.

        `served` has the alias of each deployment. A wildcard stands for models unknown.
        """
        found = Counter(served)
        wanted = Counter(one["model_name"] for one in self._deployments())
        return tuple(alias for alias, number in wanted.items() if "*" not in alias and found[alias] < number)

    def _deployments(self) -> list[dict[str, Any]]:
        models = self.data.get("model_list")
        return [one for one in models if isinstance(one, dict) and "model_name" in one] if models else []

    def secrets(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return what LiteLLM's container gets of the user's variables, and nothing else."""
        return needs.secrets(self.variables, values)


def load(name: str, directory: Path, values: Mapping[str, str], models: Models | None = None) -> ProviderConfig:
    """Find, render and read one. Raises AiinfraError (PROVIDER_CONFIG_INVALID) with file, line and reason.

    What is read is not checked yet: see `checks`.
    """
    known = sources(directory)
    if name not in known:
        raise AiinfraError(
            Code.PROVIDER_CONFIG_INVALID,
            f"there is no provider config '{name}'",
            hint=f"known: {', '.join(sorted(known))}; your own go to litellm/NAME.yaml",
        )
    text, data, faults = _read(known[name], known, values, models or Models(), ())
    if values.get(needs.DATABASE_URL) and _add_request_log(data):
        text = _dumped(known[name], data)
    return ProviderConfig(name, known[name], text, data, _variables(data), _aliases(data), tuple(faults))


def kept(name: str, path: Path) -> ProviderConfig:
    """Read a config that was rendered before, from where it was rendered to."""
    source = Source(name, path, bundled=False)
    text = text_of(source, {}, Models())
    data = document(source, text).data
    return ProviderConfig(name, source, text.text, data, _variables(data), _aliases(data))


def _read(
    source: Source, known: Mapping[str, Source], values: Mapping[str, str], models: Models, chain: tuple[Path, ...]
) -> tuple[str, Table, list[Fault]]:
    text = text_of(source, values, models)
    found = document(source, text)
    if KEY not in found.data:
        return text.text, found.data, list(found.faults)
    base = _base(source, found.data, known, (*chain, source.path))
    _, below, faults = _read(base, known, values, models, (*chain, source.path))
    data = extended(below, found.data)
    return _dumped(source, data), data, [*faults, *found.faults]


def _base(source: Source, data: Table, known: Mapping[str, Source], chain: tuple[Path, ...]) -> Source:
    name, line = data[KEY], data.places[KEY].line
    # A config that hides a bundled one may extend it.
    base = None
    if isinstance(name, str):
        base = bundled().get(name) if name == source.name else known.get(name)
    if base is None:
        raise unreadable(source, line, f"extends: there is no provider config '{name}'; known: {', '.join(known)}")
    if base.path in chain:
        raise unreadable(source, line, f"extends: '{name}' extends this file in turn")
    return base


def _add_request_log(data: Table) -> bool:
    """Add our logger to the callbacks; returns whether it was not there."""
    section = data.get("litellm_settings")
    if section is None:
        section = Table(data.place)
        data.put("litellm_settings", section, data.place)
    if not isinstance(section, Table):
        return False
    place = section.places.get("callbacks", section.place)
    callbacks = section.get("callbacks")
    rows = Rows(place)
    for one in callbacks if isinstance(callbacks, list) else [callbacks] if callbacks else []:
        rows.put(one, place)
    if _REQUEST_LOG in rows:
        return False
    rows.put(_REQUEST_LOG, place)
    section.put("callbacks", rows, place)
    return True


def _dumped(source: Source, data: Table) -> str:
    head = f"# Made by aiinfra of {source.file}; changes here are lost.\n"
    return head + yaml.safe_dump(plain(data), sort_keys=False, allow_unicode=True, width=120)


def _variables(data: Table) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for need in needs.needs(data) for name in need.names))


def _model(deployment: dict[str, Any]) -> str:
    parameters = deployment.get("litellm_params")
    return str(parameters.get("model", "")) if isinstance(parameters, dict) else ""


def _aliases(data: Table) -> tuple[str, ...]:
    models: Any = data.get("model_list")
    named = [one.get("model_name") for one in models if isinstance(one, Table)] if isinstance(models, Rows) else []
    router = data.get("router_settings")
    groups = router.get("model_group_alias") if isinstance(router, Table) else None
    for alias, target in groups.items() if isinstance(groups, Table) else ():
        if not (isinstance(target, dict) and target.get("hidden")):
            named.append(alias)
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))
