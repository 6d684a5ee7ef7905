"""Provider configs: find one, render it, list what it needs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aiinfra.bundle import TEMPLATES, templates
from aiinfra.errors import AiinfraError, Code

_REFERENCE = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")

# Read by LiteLLM itself, named in no config; passed on when the user sets them.
_OPTIONAL = (
    "OPENAI_API_BASE",
    "OPENAI_BASE_URL",
    "ANTHROPIC_API_BASE",
    "ANTHROPIC_BASE_URL",
    "AZURE_API_BASE",
    "AZURE_API_VERSION",
)

# What the stack itself provides.
PROVIDED = ("REDIS_HOST", "REDIS_PORT")

# What MPC-API asks the gateway for.
ASKED_FOR = ("mpc-script", "mpc-thumbnail", "mpc-metadata")


@dataclass(frozen=True)
class ProviderConfig:
    """A LiteLLM config as LiteLLM will read it.

    `variables` are the environment variables that it refers to, `aliases` the model names that it serves.
    """

    name: str
    text: str
    variables: tuple[str, ...]
    aliases: tuple[str, ...]

    def secrets(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return what LiteLLM's container gets of the user's variables, and nothing else."""
        names = dict.fromkeys((*self.variables, *_OPTIONAL))
        return {name: values[name] for name in names if values.get(name) and name not in PROVIDED}


def names(directory: Path) -> dict[str, Path]:
    """Return every provider config by name: the user's own in `litellm/` hide bundled ones of the same name."""
    found: dict[str, Path] = {}
    for folder in (TEMPLATES / "litellm", directory / "litellm"):
        for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yaml.j2"))):
            found[path.name.removesuffix(".j2").removesuffix(".yaml")] = path
    return found


def load(name: str, directory: Path, values: Mapping[str, str]) -> ProviderConfig:
    """Find, render and read one. Raises AiinfraError (PROVIDER_CONFIG_INVALID) with file and reason."""
    known = names(directory)
    if name not in known:
        raise AiinfraError(
            Code.PROVIDER_CONFIG_INVALID,
            f"there is no provider config '{name}'",
            hint=f"known: {', '.join(sorted(known))}; your own go to litellm/NAME.yaml",
        )
    path = known[name]
    text = _rendered(path, values)
    data = _parsed(path, text)
    variables = tuple(dict.fromkeys(_REFERENCE.findall("\n".join(_strings(data)))))
    return ProviderConfig(name, text, variables, _aliases(path, data))


def check(config: ProviderConfig, values: Mapping[str, str], file_name: str) -> None:
    """Refuse a config whose variables are not set: LiteLLM would start, and then fail every request."""
    absent = [name for name in config.variables if not values.get(name) and name not in PROVIDED]
    if absent:
        raise AiinfraError(
            Code.KEYS_INVALID,
            f"the provider config '{config.name}' needs {', '.join(absent)}",
            hint=f"set {'them' if len(absent) > 1 else 'it'} in {file_name}, or use the keyless config 'mock'; "
            "nothing was touched",
            details={"missing": absent, "provider_config": config.name},
        )


def _rendered(path: Path, values: Mapping[str, str]) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".j2":
            return text
        present = frozenset(name for name, value in values.items() if value)
        return templates().from_string(text).render(is_set=present.__contains__)
    except Exception as error:  # a template of the user can raise anything
        raise _invalid(path, str(error)) from error


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise _invalid(path, f"{line}{error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _invalid(path, str(error)) from error
    if not isinstance(data, Mapping) or not isinstance(data.get("model_list"), list):
        raise _invalid(path, "it has no model_list")
    return data


def _aliases(path: Path, data: Mapping[str, Any]) -> tuple[str, ...]:
    aliases: dict[str, None] = {}
    for index, model in enumerate(data["model_list"]):
        alias = model.get("model_name") if isinstance(model, Mapping) else None
        if not isinstance(alias, str):
            raise _invalid(path, f"model_list[{index}] has no model_name")
        aliases[alias] = None
    return tuple(aliases)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _invalid(path: Path, reason: str) -> AiinfraError:
    return AiinfraError(
        Code.PROVIDER_CONFIG_INVALID, f"{path.name}: {reason}", hint=f"edit {path}; nothing was touched"
    )
