"""`extends: NAME`: a config made of another one and what it says differently.

The rule: a mapping is merged key by key; a key whose value is null is taken out; anything else replaces what was
there. `model_list` alone is joined: an alias that the own file names loses the base's deployments of that alias,
all others stay, and the own ones come last.
"""

from typing import Any

from aiinfra.providers.place import Place, Rows, Table

KEY = "extends"
_MODELS = "model_list"


def extended(base: Table, own: Table) -> Table:
    """Return `base` with `own` laid over it; places stay those of whoever said it."""
    merged = _merged(base, own)
    merged.pop(KEY, None)
    if isinstance(base.get(_MODELS), Rows) and isinstance(own.get(_MODELS), Rows):
        merged[_MODELS] = _joined(base[_MODELS], own[_MODELS])
    return merged


def _merged(base: Table, own: Table) -> Table:
    merged = Table(own.place)
    for key in dict.fromkeys((*base, *own)):
        if key not in own:
            merged.put(key, base[key], base.places[key])
        elif own[key] is not None:
            value, place = own[key], own.places[key]
            both = isinstance(base.get(key), Table) and isinstance(value, Table)
            merged.put(key, _merged(base[key], value) if both else value, place)
    return merged


def _joined(base: Rows, own: Rows) -> Rows:
    named = {_alias(item) for item in own}
    rows = Rows(own.place)
    pairs: list[tuple[Any, Place]] = [
        *((item, place) for item, place in zip(base, base.places, strict=True) if _alias(item) not in named),
        *zip(own, own.places, strict=True),
    ]
    for item, place in pairs:
        rows.put(item, place)
    return rows


def _alias(deployment: object) -> object:
    return deployment.get("model_name") if isinstance(deployment, dict) else None
