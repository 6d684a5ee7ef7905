"""The deployments themselves: which provider, whose key, which id."""

import datetime as dt
from collections.abc import Iterator, Mapping

from aiinfra.providers.fault import Fault, fault
from aiinfra.providers.known import close, known, provider_of
from aiinfra.providers.place import Path, Rows, Table, dotted, place_of

# A model that goes later than this is no matter yet.
_SOON = dt.timedelta(days=180)
_AZURE = ("azure", "azure_text")


def deployments(data: Table) -> Iterator[tuple[Path, Table]]:
    """Yield every deployment that is one, with its path."""
    models = data.get("model_list")
    for index, one in enumerate(models if isinstance(models, Rows) else ()):
        if isinstance(one, Table):
            yield ("model_list", index), one


def parameters(deployment: Table) -> Table | None:
    found = deployment.get("litellm_params")
    return found if isinstance(found, Table) else None


def custom_providers(data: Table) -> list[str]:
    settings = data.get("litellm_settings")
    rows = settings.get("custom_provider_map") if isinstance(settings, Table) else None
    return [str(one.get("provider")) for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []


def faults(data: Table, values: Mapping[str, str], today: dt.date) -> Iterator[Fault]:
    models = data.get("model_list")
    if not isinstance(models, Rows) or not models:
        yield fault(data, ("model_list",), "it has no list of models", "list at least one deployment")
        return
    for index, one in enumerate(models):
        if not isinstance(one, Table) or not isinstance(one.get("model_name"), str):
            path: Path = ("model_list", index)
            yield fault(data, path, "it has no model_name", "name the alias that clients ask for")
        elif parameters(one) is None:
            yield fault(data, ("model_list", index), "it has no litellm_params", "say which `model:` it is")
        else:
            yield from _deployment(data, ("model_list", index), one, values)
            yield from _retired(data, ("model_list", index, "litellm_params", "model"), today)
    yield from _duplicate_ids(data)


def _deployment(data: Table, path: Path, deployment: Table, values: Mapping[str, str]) -> Iterator[Fault]:
    table = parameters(deployment) or Table(deployment.place)
    here = (*path, "litellm_params", "model")
    model = table.get("model")
    if not isinstance(model, str) or not model:
        yield fault(data, here, "it has no model", "write `model: PROVIDER/NAME`")
        return
    custom = custom_providers(data)
    provider = str(table.get("custom_llm_provider") or provider_of(model, custom))
    if not provider:
        yield _unknown_provider(data, here, model, custom)
        return
    if provider in _AZURE:
        yield from _azure(data, path, table, values)


def _unknown_provider(data: Table, path: Path, model: str, custom: list[str]) -> Fault:
    prefix, slash, name = model.partition("/")
    loses = "LiteLLM starts without this deployment"
    if not slash:
        meant = close(model, known()["models"], 0.85)
        fix = f"did you mean '{meant}'?" if meant else "write PROVIDER/NAME, for example openai/" + model
        return fault(data, path, f"'{model}' says no provider, and no model of this name is known; {loses}", fix)
    meant = close(prefix, [*known()["providers"], *custom], 0.6)
    if prefix == "mock":
        handler = "{provider: mock, custom_handler: mock_provider.handler}"
        fix = f"name its handler: litellm_settings: {{custom_provider_map: [{handler}]}}"
    else:
        fix = f"did you mean '{meant}/{name}'?" if meant else "an OpenAI-compatible server is openai/NAME with api_base"
    return fault(data, path, f"there is no provider '{prefix}'; {loses}", fix)


def _retired(data: Table, path: Path, today: dt.date) -> Iterator[Fault]:
    table = parameters(data["model_list"][path[1]])
    model = str(table.get("model")) if table else ""
    name = model.partition("/")[2] or model
    when = known()["deprecated"].get(model) or known()["deprecated"].get(name)
    if when and when <= (today + _SOON).isoformat():
        tense = "was shut down" if when <= today.isoformat() else "will be shut down"
        yield fault(data, path, f"'{name}' {tense} on {when}", "use a current model", severity="warning")


def _azure(data: Table, path: Path, table: Table, values: Mapping[str, str]) -> Iterator[Fault]:
    for key, variable in (("api_base", "AZURE_API_BASE"), ("api_version", "AZURE_API_VERSION")):
        default = known()["litellm_params"] if key == "api_version" else {}
        if key in table or values.get(variable) or (key == "api_version" and default):
            continue
        place = place_of(data, (*path, "litellm_params"))
        problem = f"Azure needs {key}, or every request fails"
        fix = f"write `{key}: os.environ/{variable}`, and set {variable} in .env"
        yield Fault(place.file, place.line, dotted((*path, "litellm_params")), problem, fix)


def _duplicate_ids(data: Table) -> Iterator[Fault]:
    first: dict[object, int] = {}
    for path, one in deployments(data):
        info = one.get("model_info")
        name = info.get("id") if isinstance(info, Table) else None
        if name is None:
            continue
        here = (*path, "model_info", "id")
        if name in first:
            problem = f"the id '{name}' is taken by the deployment on line {first[name]}; LiteLLM would drop one"
            yield fault(data, here, problem, "use another id, or none: LiteLLM makes one up")
        first.setdefault(name, place_of(data, here).line)
