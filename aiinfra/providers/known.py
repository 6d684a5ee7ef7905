"""What the LiteLLM of the gateway's image knows, from the file that tools/litellm_facts.py writes."""

import difflib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FACTS = Path(__file__).with_name("litellm.json")


@cache
def known() -> Mapping[str, Any]:
    """Return the facts: keys by section with the kind of their value, providers, models, callbacks, strategies."""
    facts: dict[str, Any] = json.loads(_FACTS.read_text(encoding="utf-8"))
    return facts


def close(name: str, names: Iterable[str], cutoff: float = 0.75) -> str:
    """Return the one of `names` that was probably meant; "" when none is."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=cutoff)
    return found[0] if found else ""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return what to do about a wrong name, for the second half of a fault."""
    listed = list(names)
    meant = close(name, listed, cutoff=0.6)
    return f"did you mean '{meant}'?" if meant else f"known: {', '.join(sorted(listed))}"


def provider_of(model: str, custom: Iterable[str] = ()) -> str:
    """Return the provider that LiteLLM asks for a model; "" when it finds none, and then drops the deployment."""
    prefix, slash, _ = model.partition("/")
    if slash and (prefix in known()["providers"] or prefix in custom):
        return prefix
    name = model.removeprefix("ft:").split(":")[0] if model.startswith("ft:") else model
    return str(known()["models"].get(model) or known()["models"].get(name) or "")
