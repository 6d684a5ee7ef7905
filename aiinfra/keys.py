""".env: the keys and secrets of a stack. Read and checked, and generated where they are missing.

The dialect is python-dotenv's: single and double quotes, `export`, comments; nothing is expanded, a `$` is a `$`.
"""

import io
import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra.errors import AiinfraError, Code
from aiinfra.naming import DEFAULT_STACK

if TYPE_CHECKING:
    from aiinfra.settings import ApiKey

_MINIMUM = 16
_DISTINCT = 8
_PLACEHOLDER = r"(?i)(sk-)?(.)\2*|.*(\.\.\.|changeme|change-me|your[-_ ]|example|placeholder).*"
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


def _random() -> str:
    import secrets  # noqa: PLC0415 - not for commands that only look

    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class OwnKey:
    """A key that belongs to the stack itself, so that we can make one up."""

    name: str
    meaning: str
    generate: Callable[[], str]
    prefix: str = ""
    in_header: bool = True


OWN_KEYS = (
    OwnKey(
        "LITELLM_MASTER_KEY",
        "the gateway's key: clients send it as `Authorization: Bearer ...`",
        lambda: "sk-" + _random(),
        prefix="sk-",
    ),
    OwnKey("MPC_API_KEY", "the content API's key, sent the same way", _random),
    OwnKey("REDIS_PASSWORD", "between the services only", _random, in_header=False),
)


def of_callers(callers: Iterable["ApiKey"]) -> tuple[OwnKey, ...]:
    """Return the keys that aiinfra.yaml names for further callers of MPC-API."""
    meaning = "the content API's key of '{}'"
    return tuple(OwnKey(one.variable, meaning.format(one.name), _random) for one in callers)


# What stands in .env behind a key's name while the services accept the one before it too.
PREVIOUS = "_PREVIOUS"


def previous(values: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of before that are still accepted, by the key's own name."""
    found = {key.name: values.get(key.name + PREVIOUS, "") for key in OWN_KEYS}
    return {name: value for name, value in found.items() if value}


def file_for(directory: Path, stack: str) -> Path:
    """Return the file that holds a stack's own keys.

    The default stack's are in `.env`; another stack has them in `.env.NAME`, and reads provider keys from both.
    """
    return directory / (".env" if stack == DEFAULT_STACK else f".env.{stack}")


def load(directory: Path, stack: str) -> dict[str, str]:
    """Return every variable that the stack sees, by name. Missing files are empty.

    Raises AiinfraError (KEYS_INVALID) with file and line for what cannot be read.
    """
    own = file_for(directory, stack)
    values = {} if own.name == ".env" else _without_own_keys(read(directory / ".env"))
    return values | read(own)


def _without_own_keys(values: Mapping[str, str]) -> dict[str, str]:
    own = {name for key in OWN_KEYS for name in (key.name, key.name + PREVIOUS)}
    return {name: value for name, value in values.items() if name not in own}


def read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise AiinfraError(Code.KEYS_INVALID, f"{path.name} cannot be read: {reason}", hint=f"repair {path}") from error
    return parse(text, path.name)


def parse(text: str, file_name: str) -> dict[str, str]:
    # Its import costs more than reading the file; commands without a stack do not pay for it.
    from dotenv.parser import parse_stream  # noqa: PLC0415

    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for binding in parse_stream(io.StringIO(text)):
        line = binding.original.line + _leading_newlines(binding.original.string)
        if binding.error or (binding.key is not None and binding.value is None):
            raise _refusal(file_name, line, "is not NAME=value", "quote a value that has spaces or '#' in it")
        if binding.key is None or binding.value is None:
            continue
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", binding.key):
            raise _refusal(file_name, line, "has no valid name before '='", "use letters, digits and '_'")
        if binding.key in values:
            fix = f"remove one; the first is on line {lines[binding.key]}"
            raise _refusal(file_name, line, f"sets {binding.key} a second time", fix)
        if "\0" in binding.value:
            raise _refusal(file_name, line, f"has a NUL character in {binding.key}", "remove it")
        values[binding.key], lines[binding.key] = binding.value, line
    return values


def without(text: str, names: Container[str]) -> str:
    """Return the text of a .env without the lines that set one of `names`; it ends with a newline."""
    from dotenv.parser import parse_stream  # noqa: PLC0415

    bindings = parse_stream(io.StringIO(text))
    kept = "".join(one.original.string for one in bindings if one.key is None or one.key not in names)
    return kept if kept.endswith("\n") or not kept else kept + "\n"


def _leading_newlines(text: str) -> int:
    return len(text[: len(text) - len(text.lstrip())].splitlines())


def _refusal(file_name: str, line: int, fault: str, fix: str) -> AiinfraError:
    return AiinfraError(
        Code.KEYS_INVALID,
        f"{file_name}:{line}: this line {fault}",
        hint=f"{fix}; nothing was touched",
        details={"file": file_name, "line": line},
    )


def missing(values: Mapping[str, str], further: Iterable[OwnKey] = ()) -> tuple[OwnKey, ...]:
    return tuple(key for key in (*OWN_KEYS, *further) if not values.get(key.name))


def check(values: Mapping[str, str], file_name: str, further: Iterable[OwnKey] = ()) -> None:
    """Refuse weak keys (KEYS_INVALID), naming all of them and none of their values."""
    before = previous(values)
    exchanged = [replace(key, name=key.name + PREVIOUS) for key in OWN_KEYS if key.name in before]
    checked = (*OWN_KEYS, *exchanged, *further)
    faults = [
        f"{file_name}: {key.name} {fault}" for key in checked if (fault := _weakness(key, values.get(key.name, "")))
    ]
    faults += _shared(values, checked, file_name)
    if faults:
        raise AiinfraError(
            Code.KEYS_INVALID,
            "\n".join(faults),
            hint="remove the line to have a strong key generated, or set one; nothing was touched",
            details={"faults": faults},
        )


def is_placeholder(value: str) -> bool:
    """Say whether a value only stands for one: `sk-...`, `changeme`, `your-key-here`, `xxxx`."""
    return bool(re.fullmatch(_PLACEHOLDER, value))


def _shared(values: Mapping[str, str], checked: Iterable[OwnKey], file_name: str) -> list[str]:
    """Keys that are the same as one before them: whoever has one would have the other's rights too."""
    first: dict[str, str] = {}
    faults = []
    for key in checked:
        value = values.get(key.name, "")
        if value and value in first:
            faults.append(f"{file_name}: {key.name} is the same as {first[value]}")
        first.setdefault(value, key.name)
    return faults


def _weakness(key: OwnKey, value: str) -> str:
    guessable = len(set(value)) < _DISTINCT or value.removeprefix(key.prefix).isdigit()
    known = is_placeholder(value) or value.lower() in {"sk-1234", "password", "secret", "admin"}
    rules = (
        (not value, "is not set"),
        (known, "is a placeholder or a well-known default"),
        (not value.startswith(key.prefix), f"must begin with '{key.prefix}' (LiteLLM's rule)"),
        (len(value) < _MINIMUM, f"is weak: {len(value)} characters, at least {_MINIMUM} are needed"),
        (guessable, "is weak: it is easy to guess"),
        (
            key.in_header and not _HEADER_SAFE.fullmatch(value),
            "has characters that an HTTP header cannot carry: use printable ASCII without spaces",
        ),
    )
    return next((fault for broken, fault in rules if broken), "")
