"""Runs inside the gateway's image: prints, as JSON, what its LiteLLM knows. See litellm_facts.py."""

from __future__ import annotations

import ast
import inspect
import json
import os
import sys
import types
import typing
from pathlib import Path
from typing import Any

import litellm
from litellm._redis import _get_redis_kwargs
from litellm.caching.caching import Cache
from litellm.integrations.SlackAlerting.slack_alerting import DEFAULT_ALERT_TYPES, AlertType
from litellm.litellm_core_utils.get_llm_provider_logic import get_llm_provider
from litellm.proxy._types import ConfigGeneralSettings, ConfigYAML
from litellm.router import Router
from litellm.types.router import AllowedFailsPolicy, Deployment, LiteLLM_Params, ModelInfo, RetryPolicy, RoutingGroup
from litellm.types.utils import all_litellm_params

ROOT = Path(litellm.__file__).parent
_DATE = "deprecation_date"
_NOT_SETTINGS = set("_ABCDEFGHIJKLMNOPQRSTUVWXYZ")
SECTIONS = ("config", "general_settings", "litellm_settings", "router_settings")


def kind(annotation: Any) -> str:
    """One of bool, int, float, str, list, dict, or "" for anything else and for unions of several."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        kinds = {kind(one) for one in typing.get_args(annotation) if one is not type(None)}
        if kinds == {"int", "float"}:
            return "float"
        return kinds.pop() if len(kinds) == 1 else ""
    plain = origin or annotation
    if plain is typing.Literal:
        return "str"
    return plain.__name__ if plain in (bool, int, float, str, list, dict) else ""


def fields(model: Any) -> dict[str, str]:
    return {name: kind(field.annotation) for name, field in model.model_fields.items()}


def parameters(function: Any) -> dict[str, str]:
    hints = typing.get_type_hints(function)
    named = [name for name in inspect.signature(function).parameters if name not in ("self", "kwargs", "args")]
    return {name: kind(hints.get(name)) for name in named}


def read_keys() -> dict[str, set[str]]:
    """Which keys the proxy's source asks a section for: `section.get("x")`, `section["x"]`, `"x" in section`."""
    found: dict[str, set[str]] = {name: set() for name in SECTIONS}
    server = ROOT / "proxy" / "proxy_server.py"
    for path in (ROOT / "proxy").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            section, key = _use(node)
            # Others call other things `config`.
            if section in found and (section != "config" or path == server) and isinstance(key, str):
                found[section].add(key)
    for node in ast.walk(ast.parse(server.read_text(encoding="utf-8"))):
        # `elif key == "x":` of load_config, which walks litellm_settings.
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == "key":
            found["litellm_settings"] |= {
                one.value for one in node.comparators if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return found


def _use(node: ast.AST) -> tuple[str, Any]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        return _name(node.func.value), _constant(node.args[0])
    if isinstance(node, ast.Subscript):
        return _name(node.value), _constant(node.slice)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.In):
        return _name(node.comparators[0]), _constant(node.left)
    return "", None


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _constant(node: ast.AST) -> Any:
    return node.value if isinstance(node, ast.Constant) else None


def module_settings() -> dict[str, str]:
    hints = getattr(litellm, "__annotations__", {})
    names = {name for name in vars(litellm) if not name.startswith("_")} | set(hints)
    found = {}
    for name in names:
        value = getattr(litellm, name, None)
        ours = type(value).__module__.startswith("litellm") or isinstance(value, set)
        if ours or isinstance(value, types.ModuleType | types.FunctionType | type) or name[:1] in _NOT_SETTINGS:
            continue
        by_value = type(value).__name__ if isinstance(value, bool | int | float) else ""
        found[name] = {"bool": "bool", "int": "float", "float": "float"}.get(by_value, "")
    return found


def providers() -> dict[str, list[str]]:
    """Each provider, and the variables without which it cannot be asked."""
    return {str(getattr(one, "value", one)): _needed(str(getattr(one, "value", one))) for one in litellm.provider_list}


def _needed(provider: str) -> list[str]:
    try:
        return list(litellm.validate_environment(model=f"{provider}/x")["missing_keys"])
    except Exception:  # noqa: BLE001 - no model of that name: LiteLLM says nothing about it
        return []


def known_models() -> dict[str, str]:
    """Names that need no provider in front of them, and whose they are."""
    found = {}
    for name in litellm.model_cost:
        if "/" not in name:
            try:
                found[name] = get_llm_provider(name)[1]
            except Exception:  # noqa: BLE001, S112 - it does need one
                continue
    return found


def main() -> None:
    os.environ.clear()
    litellm.suppress_debug_info = True
    used = read_keys()
    prices: dict[str, dict[str, Any]] = litellm.model_cost
    known = {name: dict.fromkeys(sorted(used[name]), "") for name in SECTIONS}
    facts = {
        "version": litellm._version.version,  # noqa: SLF001
        "config": known["config"] | fields(ConfigYAML),
        "general_settings": known["general_settings"] | fields(ConfigGeneralSettings),
        "litellm_settings": known["litellm_settings"] | module_settings(),
        "router_settings": parameters(Router.__init__),
        "deployment": fields(Deployment),
        "litellm_params": dict.fromkeys((*all_litellm_params, *litellm.OPENAI_CHAT_COMPLETION_PARAMS), "")
        | fields(LiteLLM_Params),
        "model_info": dict.fromkeys({key for one in prices.values() for key in one}, "") | fields(ModelInfo),
        "cache_params": dict.fromkeys(sorted(_get_redis_kwargs()), "") | parameters(Cache.__init__),
        "retry_policy": fields(RetryPolicy),
        "allowed_fails_policy": fields(AllowedFailsPolicy),
        "routing_group": fields(RoutingGroup),
        "routing_strategies": strategies(),
        "callbacks": sorted(callbacks()),
        "alert_types": sorted(one.value for one in {*AlertType, *DEFAULT_ALERT_TYPES}),
        "providers": providers(),
        "models": known_models(),
        "deprecated": {name: str(one[_DATE]) for name, one in prices.items() if one.get(_DATE)},
    }
    json.dump(facts, sys.stdout, indent=1, sort_keys=True, ensure_ascii=False)
    sys.stdout.write("\n")


def strategies() -> list[str]:
    hint = typing.get_type_hints(Router.__init__)["routing_strategy"]
    return sorted({*typing.get_args(hint), *(one.value for one in litellm.types.router.RoutingStrategy)})


def callbacks() -> set[str]:
    """Those in LiteLLM's own list, and those that its source compares a `callback` with."""
    found = set(litellm._known_custom_logger_compatible_callbacks)  # noqa: SLF001
    for path in ("litellm_core_utils/litellm_logging.py", "proxy/common_utils/callback_utils.py"):
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and _name(node.left) == "callback":
                found |= {one.value for one in node.comparators if isinstance(one, ast.Constant) and one.value}
    return {name for name in found if isinstance(name, str) and not name.endswith("_")}


if __name__ == "__main__":
    main()
