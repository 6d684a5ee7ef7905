"""Secrets that stand in the file, and references to variables that are none."""

import re
from collections.abc import Iterator, Mapping

from aiinfra.providers.fault import Fault, fault
from aiinfra.providers.known import provider_of
from aiinfra.providers.needs import REFERENCE
from aiinfra.providers.place import Path, Table, strings
from aiinfra.providers.secrecy import is_literal, is_secret_name

_SHELL = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?|os\.environ\.([A-Za-z_]\w*)|env[:/]([A-Z_][A-Z0-9_]*)")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_KNOWN = {
    "master_key": "LITELLM_MASTER_KEY",
    "redis_password": "REDIS_PASSWORD",
    "database_url": "LITELLM_DATABASE_URL",
}


def faults(data: Table, values: Mapping[str, str]) -> Iterator[Fault]:
    for path, text in strings(data):
        if REFERENCE.fullmatch(text):
            continue
        named = any(is_secret_name(step) for step in path)
        if "os.environ/" in text:
            problem = "LiteLLM replaces a reference only when it is the whole value, and takes this one literally"
            yield fault(data, path, problem, "write os.environ/NAME and nothing else; put the whole value into .env")
        elif (meant := _SHELL.fullmatch(text)) and (named or meant[1] in values or meant[2] or meant[3]):
            yield _no_reference(data, path, meant[1] or meant[2] or meant[3])
        elif named and (text in values or _VARIABLE.fullmatch(text)):
            yield _no_reference(data, path, text)
        elif is_literal(path, text):
            name = _variable(data, path)
            fix = f"write os.environ/{name} here, and {name}=... in .env"
            yield fault(data, path, "a secret stands in the file", fix)


def _no_reference(data: Table, path: Path, name: str) -> Fault:
    return fault(data, path, "LiteLLM takes this literally", f"write os.environ/{name}")


def _variable(data: Table, path: Path) -> str:
    """Return the name to use: the provider's usual one, or the key's own."""
    key = next((str(step) for step in reversed(path) if is_secret_name(step)), str(path[-1]))
    deployment = data["model_list"][path[1]] if path[0] == "model_list" and len(path) > 1 else None
    parameters = deployment.get("litellm_params") if isinstance(deployment, Table) else None
    model = parameters.get("model") if isinstance(parameters, Table) else None
    provider = provider_of(model) if isinstance(model, str) else ""
    if provider and key == "api_key":
        return re.sub(r"\W", "_", provider).upper() + "_API_KEY"
    return _KNOWN.get(key) or (re.sub(r"\W", "_", key).upper() if re.match(r"[A-Za-z]", key) else "MY_SECRET")
