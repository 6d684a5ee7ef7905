"""Keys that LiteLLM does not know, or not there, and values of the wrong type. LiteLLM ignores both in silence."""

import datetime as dt
from collections.abc import Iterator, Mapping

from aiinfra.providers.fault import Fault, fault
from aiinfra.providers.known import close, known
from aiinfra.providers.place import Path, Rows, Table
from aiinfra.providers.secrecy import is_secret_name

_SECTIONS = ("general_settings", "litellm_settings", "router_settings")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "list": (list,),
    "dict": (dict,),
}
_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "list": "a list",
    "dict": "a mapping",
}
_CLOSE = 0.8

# Numbers of a deployment that LiteLLM takes as anything, and fails on when the first request counts with them.
_NUMBERS = {
    "weight": "float",
    "order": "int",
    "max_parallel_requests": "int",
    "max_tokens": "int",
    "temperature": "float",
    "cooldown_time": "float",
}
_CUSTOM_PROVIDER = {"provider": "str", "custom_handler": "str"}

# Routing has more to say about the shape of these.
FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


def faults(data: Table) -> Iterator[Fault]:
    yield from _top(data)
    for name in _SECTIONS:
        section = data.get(name)
        if isinstance(section, Table):
            yield from _section(data, name, section)
        elif section is not None:
            yield fault(data, (name,), "it is no mapping", "write `KEY: VALUE` lines below it")
    yield from _nested(data)
    models = data.get("model_list")
    for index, one in enumerate(models if isinstance(models, Rows) else ()):
        if isinstance(one, Table):
            yield from _deployment(data, ("model_list", index), one)


def _top(data: Table) -> Iterator[Fault]:
    for key in data:
        if key == "include":
            yield fault(data, (key,), "files that are included are not in the gateway's container", "use `extends:`")
        elif key not in known()["config"]:
            yield _unknown(data, (key,), known()["config"])


def _section(data: Table, name: str, section: Table) -> Iterator[Fault]:
    for key, value in section.items():
        if key in known()[name]:
            yield from _typed(data, (name, key), value, known()[name][key])
        else:
            yield _unknown(data, (name, key), known()[name])


def _nested(data: Table) -> Iterator[Fault]:
    """What stands in a mapping inside a section, where LiteLLM has a fixed set of keys for it."""
    for section, key in (
        ("router_settings", "retry_policy"),
        ("router_settings", "allowed_fails_policy"),
        ("litellm_settings", "cache_params"),
    ):
        inner = data.get(section)
        table = inner.get(key) if isinstance(inner, Table) else None
        if isinstance(table, Table):
            for name, value in table.items():
                path = (section, key, name)
                if name in known()[key]:
                    yield from _typed(data, path, value, known()[key][name])
                else:
                    yield _unknown(data, path, known()[key])
        elif table is not None:
            yield fault(data, (section, key), "it is no mapping", "write `KEY: VALUE` lines below it")
    for section, key, facts in (
        ("router_settings", "routing_groups", known()["routing_group"]),
        ("litellm_settings", "custom_provider_map", _CUSTOM_PROVIDER),
    ):
        inner = data.get(section)
        rows = inner.get(key) if isinstance(inner, Table) else None
        for index, row in enumerate(rows if isinstance(rows, Rows) else ()):
            yield from _item(data, (section, key, index), row, facts)


def _item(data: Table, path: Path, row: object, facts: Mapping[str, str]) -> Iterator[Fault]:
    if not isinstance(row, Table):
        yield fault(data, path, "it is no mapping", f"write {{{', '.join(facts)}}}")
        return
    for key, value in row.items():
        if key in facts:
            yield from _typed(data, (*path, key), value, facts[key])
        else:
            yield _unknown(data, (*path, key), facts)


def _deployment(data: Table, path: Path, deployment: Table) -> Iterator[Fault]:
    for key, value in deployment.items():
        here = (*path, key)
        if key not in known()["deployment"]:
            yield _unknown(data, here, known()["deployment"])
        elif key == "litellm_params" and isinstance(value, Table):
            yield from _parameters(data, here, value)
        elif key == "model_info" and isinstance(value, Table):
            yield from _model_info(data, here, value)
        elif key in ("litellm_params", "model_info") and value is not None:
            yield fault(data, here, "it is no mapping", "write `KEY: VALUE` lines below it")


def _parameters(data: Table, path: Path, table: Table) -> Iterator[Fault]:
    facts = known()["litellm_params"]
    for key, value in table.items():
        here = (*path, key)
        if key in facts:
            yield from _typed(data, here, value, facts[key] or _NUMBERS.get(key, ""))
        elif close(key, facts, _CLOSE) or _elsewhere(key):
            yield _unknown(data, here, facts)
        else:
            problem = "LiteLLM knows no such key and passes it on to the provider as it stands"
            yield fault(data, here, problem, "keep it only when the provider wants it", severity="warning")


def _model_info(data: Table, path: Path, table: Table) -> Iterator[Fault]:
    facts = known()["model_info"]
    for key, value in table.items():
        if key in facts:
            yield from _typed(data, (*path, key), value, facts[key])
        elif meant := close(key, facts, _CLOSE):
            fix = f"did you mean '{meant}'?"
            yield fault(data, (*path, key), "LiteLLM gives this key no meaning", fix, severity="warning")


def _unknown(data: Table, path: Path, facts: Mapping[str, str]) -> Fault:
    key = str(path[-1])
    where = [name for name in _elsewhere(key) if name not in path]
    meant = close(key, facts)
    if where and not close(key, facts, 0.9):
        problem, fix = "LiteLLM ignores this key here", f"move it to {where[0]}"
    elif meant:
        problem, fix = "unknown key, which LiteLLM ignores", f"did you mean '{meant}'?"
    else:
        problem, fix = f"LiteLLM {known()['version']} knows no such key and ignores it", "remove it"
    return fault(data, path, problem, fix)


def _elsewhere(key: str) -> list[str]:
    """Return the sections that know a key; `master_key` and the like are often put into the wrong one."""
    sections = [name for name in ("general_settings", "router_settings", "litellm_settings") if key in known()[name]]
    return [*sections, *(["the top level"] if key in known()["config"] else [])]


def _typed(data: Table, path: Path, value: object, kind: str) -> Iterator[Fault]:
    if isinstance(value, dt.date | dt.datetime):
        problem = "YAML makes a date of it, and LiteLLM then drops the deployment"
        yield fault(data, path, problem, f'quote it: "{value.isoformat()}"')
    elif value is not None and kind and not _fits(value, kind) and path[-1] not in FALLBACKS:
        shown = "this value" if any(is_secret_name(step) for step in path) else _shown(value)
        yield fault(data, path, f"{shown} is not {_WORDS[kind]}", _fix(value, kind))


def _fits(value: object, kind: str) -> bool:
    if isinstance(value, str) and value.startswith("os.environ/"):
        return True
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, _TYPES[kind])


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "this text" if isinstance(value, str) else str(value)


def _fix(value: object, kind: str) -> str:
    if isinstance(value, str) and kind in ("int", "float", "bool"):
        number = value.rstrip("smh% ")
        return f"write {number} without quotes or unit" if number.replace(".", "").isdigit() else f"use {_WORDS[kind]}"
    return "quote it" if kind == "str" and not isinstance(value, dict | list) else f"use {_WORDS[kind]}"
