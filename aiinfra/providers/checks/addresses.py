"""Where a deployment sends its requests, and with whose key: what fails only once somebody asks."""

import re
from collections.abc import Iterator, Mapping

from aiinfra.providers.checks.deployments import custom_providers, deployments, parameters
from aiinfra.providers.checks.variables import foreign_key
from aiinfra.providers.fault import Fault, fault
from aiinfra.providers.known import close, did_you_mean, known, provider_of
from aiinfra.providers.needs import REFERENCE
from aiinfra.providers.place import Path, Rows, Table

_WEB = re.compile(r"https?://[^\s/]")
_OURSELVES = re.compile(r"https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(/|$)")

# Of these LiteLLM knows all models; other providers serve what their users put there.
_WHOLLY_KNOWN = ("openai", "anthropic")
_CLOSE = 0.85


def faults(data: Table, values: Mapping[str, str]) -> Iterator[Fault]:
    custom = custom_providers(data)
    for path, one in deployments(data):
        if (table := parameters(one)) is not None:
            here = (*path, "litellm_params")
            provider = provider_of(str(table.get("model")), custom)
            yield from _base(data, here, table.get("api_base"))
            yield from _credential(data, here, table.get("litellm_credential_name"))
            if not table.get("api_base") and not values.get(f"{provider.upper()}_API_BASE"):
                yield from _key(data, here, table.get("api_key"), provider, values)
                yield from _model(data, here, str(table.get("model")), provider)


def _base(data: Table, path: Path, base: object) -> Iterator[Fault]:
    here = (*path, "api_base")
    if not isinstance(base, str) or "os.environ/" in base:
        return
    if not _WEB.match(base):
        yield fault(data, here, f"'{base}' is no http(s) address, and every request fails", "write http://HOST:PORT/v1")
    elif _OURSELVES.match(base):
        problem = "seen from the gateway's container, this is that container itself"
        fix = "use an address that other machines can reach, or the name of a container on the stack's network"
        yield fault(data, here, problem, fix, severity="warning")


def _credential(data: Table, path: Path, name: object) -> Iterator[Fault]:
    rows = data.get("credential_list")
    names = (
        [str(one.get("credential_name")) for one in rows if isinstance(one, Table)] if isinstance(rows, Rows) else []
    )
    if isinstance(name, str) and name not in names:
        problem = f"no credential is called '{name}', and LiteLLM sends the requests without it"
        fix = did_you_mean(name, names) if names else "name it in credential_list"
        yield fault(data, (*path, "litellm_credential_name"), problem, fix)


def _key(data: Table, path: Path, key: object, provider: str, values: Mapping[str, str]) -> Iterator[Fault]:
    reference = REFERENCE.fullmatch(key) if isinstance(key, str) else None
    # What the variable is usually for is looked at with the variables.
    if reference and reference[1] != f"{provider.upper()}_API_KEY":
        problem = foreign_key(provider, values.get(reference[1], ""))
        if problem:
            fix = f"write os.environ/{provider.upper()}_API_KEY"
            yield fault(data, (*path, "api_key"), f"{reference[1]} {problem}", fix)


def _model(data: Table, path: Path, model: str, provider: str) -> Iterator[Fault]:
    prefix, _, name = model.partition("/")
    if prefix != provider or provider not in _WHOLLY_KNOWN or provider_of(name):
        return
    names = [one for one, owner in known()["models"].items() if owner == provider]
    if meant := close(name, names, _CLOSE):
        problem = f"LiteLLM knows no model '{name}' of {provider}"
        yield fault(data, (*path, "model"), problem, f"did you mean '{provider}/{meant}'?", severity="warning")
