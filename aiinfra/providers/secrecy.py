"""What in a provider config is a secret: by the name of its key, or by how it looks."""

import re
from typing import Any

from aiinfra.providers.needs import REFERENCE
from aiinfra.providers.place import Path

HIDDEN = "****"

_NAMES = re.compile(
    r"(^|_)(api_?keys?|keys?|passwords?|passwd|secrets?|tokens?|credentials?|webhook_url|database_url|redis_url)$"
    r"|^(authorization|x-api-key|api-key|proxy-authorization|database_url)$",
    re.IGNORECASE,
)
# `key`s that are none: names, numbers, switches.
_NOT = re.compile(
    r"(^|_)(public_key|cache_key|primary_key|key_name|max_tokens?|stop_tokens?|pad_token)$"
    r"|max_[a-z]+_tokens$|(in|out)put_tokens$",
    re.IGNORECASE,
)
_LOOKS = re.compile(
    r"\b(sk-[A-Za-z0-9_-]{12,}|gsk_[A-Za-z0-9]{16,}|xai-[A-Za-z0-9]{16,}|hf_[A-Za-z0-9]{16,}|pplx-[A-Za-z0-9]{16,}"
    r"|AIza[0-9A-Za-z_-]{30,}|AKIA[0-9A-Z]{16}|xox[abpr]-[A-Za-z0-9-]{10,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|glpat-[A-Za-z0-9_-]{16,})|hooks\.slack\.com/services/\w+|://[^\s/:@]*:[^\s/@]+@|-----BEGIN [A-Z ]*PRIVATE KEY"
)
# What people write where a server wants a key and does not look at it.
_HARMLESS = re.compile(
    r"(none|null|empty|no|na|n/a|any|anything|fake|dummy|test|local|unused|not-?needed|no-?key|no-key-needed|x+)",
    re.IGNORECASE,
)


def is_secret_name(key: object) -> bool:
    return isinstance(key, str) and bool(_NAMES.search(key)) and not _NOT.search(key)


def is_literal(path: Path, value: str) -> bool:
    """Say whether a string of a config is a secret that should not stand there."""
    if not value or REFERENCE.fullmatch(value):
        return False
    if _LOOKS.search(value):
        return True
    named = any(is_secret_name(step) for step in path)
    return named and not _HARMLESS.fullmatch(value)


def redacted(value: object, path: Path = ()) -> Any:  # noqa: ANN401 - YAML
    """Return the same data with every secret hidden, also in lists, in mappings and in numbers."""
    if isinstance(value, dict):
        return {key: redacted(item, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item, (*path, index)) for index, item in enumerate(value)]
    if isinstance(value, str):
        return HIDDEN if is_literal(path, value) else value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return HIDDEN if number and any(is_secret_name(step) for step in path) else value


def redacted_text(text: str) -> str:
    """Hide what looks like a secret in words that are not ours, such as LiteLLM's own."""
    return _LOOKS.sub(HIDDEN, text)
