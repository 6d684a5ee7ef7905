"""Taking secrets out of text: those that we know, and what looks like one."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

HIDDEN = "[REDACTED]"

# Shorter values are also words and numbers of any text, and are hidden only where they are given a name.
_TELLING = 6
_NAMED = (
    r"authorization|(?:[\w-]*[-_])?(?:api[-_]?key|apikey|secret|token|passwd|password|credentials?|private[-_]?key|master[-_]?key"
    r"|access[-_]?key)(?:[-_][\w-]*)?"
)
_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<=://)[^\s/'\"@]*:?[^\s'\"]*(?=@)"),
    re.compile(r"(?i)(?<=bearer )[^\s'\"\\,]+"),
    re.compile(r"(?i)(?<=basic )[A-Za-z0-9+/=]{8,}"),
    re.compile(r"\b(?:sk|pk|rk|ghp|gho|xox[abpr]|hf|gsk|AIza|AKIA|glpat)[-_]?[A-Za-z0-9_-]{8,}"),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
    re.compile(r"(?<=hooks\.slack\.com/)[^\s'\"]+"),
    re.compile(r"#[0-9a-f]{64}\b"),
    re.compile(rf"(?i)(?<=[?&])({_NAMED})=[^\s&'\"]+"),
)
_ASSIGNED = re.compile(
    rf"(?i)(\b(?:{_NAMED})\b\\?[\"']?\s*[:=]\s*)(\\?[\"']?)(?!os\.environ/|null\b|\[|\{{)([^\s\"'\\,}}\]]+)"
)


def spellings(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return every secret as it may stand in a text: plain, in JSON, in an address, in base64; longest first."""
    found: set[str] = set()
    for secret in secrets:
        for line in (secret, *secret.splitlines()):
            if len(line.strip()) < _TELLING:
                continue
            found |= {line, line.strip(), quote(line, safe=""), quote(line), quote_plus(line)}
            found |= {json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1], line.replace("$", "$$")}
            found.add(base64.b64encode(line.encode()).decode().rstrip("="))
    return tuple(sorted(found, key=len, reverse=True))


def redacted(text: str, known: Iterable[str]) -> str:
    """Return a text without the known spellings, and without what looks like a secret."""
    for word in known:
        text = text.replace(word, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return _ASSIGNED.sub(rf"\1\2{HIDDEN}", text)


def values_of(text: str) -> list[str]:
    """Return everything that may be a value in the text of a .env, also of one that cannot be read."""
    found = []
    for line in text.splitlines():
        value = line.partition("=")[2].strip()
        for one in (value, value.strip("'\""), value.split(" #", 1)[0].strip().strip("'\"")):
            found.append(one)
            found.append(one.replace("\\n", "\n"))
    return found


def literals(data: object, name: str = "") -> list[str]:
    """Return the strings that stand under a telling name in a parsed provider config."""
    if isinstance(data, Mapping):
        return [text for key, item in data.items() for text in literals(item, str(key))]
    if isinstance(data, list):
        return [text for item in data for text in literals(item, name)]
    if isinstance(data, str) and re.fullmatch(_NAMED, name, re.IGNORECASE) and not data.startswith("os.environ/"):
        return [data]
    return []
