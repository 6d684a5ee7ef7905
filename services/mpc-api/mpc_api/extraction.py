"""The JSON object in what a model says, however it is wrapped."""

import json
import re

_MOST_STARTS = 20
_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL | re.IGNORECASE)


def json_object(text: str) -> str | None:
    """The largest JSON object in `text` (bare, fenced, or with words around it), or None when there is none."""
    whole = text.strip()
    if whole.startswith("{") and _is_object(whole):
        return whole
    found = [one for one in _FENCE.findall(text) if _is_object(one)] + _embedded(text)
    return max(found, key=len, default=None)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _embedded(text: str) -> list[str]:
    decoder = json.JSONDecoder()
    found: list[str] = []
    position = text.find("{")
    for _ in range(_MOST_STARTS):
        if position < 0:
            break
        try:
            _, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            found.append(text[position:end])
        position = text.find("{", end)
    return found
