"""Where requests go: fallbacks, aliases and groups must name models that there are, strategies must exist."""

import fnmatch
from collections.abc import Iterator

from aiinfra.providers.checks.keys import FALLBACKS
from aiinfra.providers.fault import Fault, fault
from aiinfra.providers.known import did_you_mean, known
from aiinfra.providers.place import Path, Rows, Table

# LiteLLM's own default, which its router cannot tell from a value that was set.
_UNSET_FAILS = 3


def faults(data: Table, aliases: tuple[str, ...]) -> Iterator[Fault]:
    names = (*aliases, *_group_aliases(data))
    for section in ("router_settings", "litellm_settings"):
        table = data.get(section)
        if not isinstance(table, Table):
            continue
        for key in FALLBACKS:
            if table.get(key) is not None:
                yield from _fallbacks(data, (section, key), table[key], names)
        default = table.get("default_fallbacks")
        if isinstance(default, Rows):
            yield from _all_known(data, (section, "default_fallbacks"), default, names)
        elif isinstance(default, str):
            problem = "it is no list, and LiteLLM takes its letters for names"
            yield fault(data, (section, "default_fallbacks"), problem, f"write [{default}]")
    router = data.get("router_settings")
    if isinstance(router, Table):
        yield from _router(data, router, aliases)
    yield from _retries(data)


def _group_aliases(data: Table) -> list[str]:
    router = data.get("router_settings")
    found = router.get("model_group_alias") if isinstance(router, Table) else None
    return list(found) if isinstance(found, Table) else []


def _fallbacks(data: Table, path: Path, value: object, names: tuple[str, ...]) -> Iterator[Fault]:
    if not isinstance(value, Rows):
        yield fault(data, path, "it is no list, and LiteLLM does not start", "write `- ALIAS: [OTHER, ...]` lines")
        return
    for index, one in enumerate(value):
        here = (*path, index)
        if not isinstance(one, Table):
            yield fault(data, here, "it is no mapping of an alias to a list", "write `- ALIAS: [OTHER, ...]`")
            continue
        for alias, targets in one.items():
            where = (*here, alias)
            if alias != "*" and not _is_known(alias, names):
                yield _unknown(data, where, alias, names, "so this never happens")
            if not isinstance(targets, Rows):
                yield fault(data, where, "it is no list", f"write `- {alias}: [OTHER, ...]`")
                continue
            yield from _all_known(data, where, targets, names)
            if alias in targets:
                yield fault(data, where, f"'{alias}' falls back to itself", "remove it", severity="warning")


def _all_known(data: Table, path: Path, rows: Rows, names: tuple[str, ...]) -> Iterator[Fault]:
    for index, one in enumerate(rows):
        name = one.get("model") if isinstance(one, dict) else one
        if not isinstance(name, str) or not _is_known(name, names):
            yield _unknown(data, (*path, index), str(name), names, "so the request fails when it is needed")


def _router(data: Table, router: Table, aliases: tuple[str, ...]) -> Iterator[Fault]:
    here: Path = ("router_settings",)
    yield from _strategy(data, (*here, "routing_strategy"), router.get("routing_strategy"))
    group_alias = router.get("model_group_alias")
    for alias, target in group_alias.items() if isinstance(group_alias, Table) else ():
        name = target.get("model") if isinstance(target, dict) else target
        if name is None:
            path = (*here, "model_group_alias", alias)
            yield fault(data, path, "it names no model", f"write {alias}: NAME, or {{model: NAME, hidden: true}}")
        elif not _is_known(str(name), aliases):
            path = (*here, "model_group_alias", alias)
            yield _unknown(data, path, str(name), aliases, "so every request for this alias fails")
    groups = router.get("routing_groups")
    for index, group in enumerate(groups if isinstance(groups, Rows) else ()):
        if isinstance(group, Table):
            path = (*here, "routing_groups", index)
            yield from _strategy(data, (*path, "routing_strategy"), group.get("routing_strategy"))
            models = group.get("models")
            if isinstance(models, Rows):
                yield from _all_known(data, (*path, "models"), models, aliases)
    if router.get("allowed_fails") == _UNSET_FAILS:
        problem = "3 is LiteLLM's default and counts as unset: a group of one deployment is never cooled down"
        yield fault(data, (*here, "allowed_fails"), problem, "use 1, 2 or 4", severity="warning")


def _strategy(data: Table, path: Path, value: object) -> Iterator[Fault]:
    strategies = known()["routing_strategies"]
    if value is not None and value not in strategies:
        yield fault(data, path, f"there is no routing strategy '{value}'", did_you_mean(str(value), strategies))


def _retries(data: Table) -> Iterator[Fault]:
    inner, outer = data.get("litellm_settings"), data.get("router_settings")
    if not isinstance(inner, Table) or not isinstance(outer, Table):
        return
    low, high = inner.get("num_retries"), outer.get("num_retries")
    if isinstance(low, int) and isinstance(high, int) and low and high:
        problem = (
            f"retries multiply: with router_settings.num_retries a request is tried {(low + 1) * (high + 1)} times"
        )
        yield fault(data, ("litellm_settings", "num_retries"), problem, "set this one to 0", severity="warning")


def _is_known(name: str, names: tuple[str, ...]) -> bool:
    return name in names or any("*" in one and fnmatch.fnmatchcase(name, one) for one in names)


def _unknown(data: Table, path: Path, name: str, names: tuple[str, ...], consequence: str) -> Fault:
    return fault(data, path, f"no model is called '{name}', {consequence}", did_you_mean(name, names))
