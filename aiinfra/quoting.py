"""Variables as text: for a .env file, a shell, GitHub Actions or a program; every value arrives unchanged."""

import json
import re
import secrets
import shlex
from collections.abc import Callable, Mapping
from typing import Literal

Format = Literal["dotenv", "shell", "json", "github"]

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]*")


def written(variables: Mapping[str, str], form: Format) -> str:
    """Return variables in one of the formats, a final newline included."""
    if form == "json":
        return json.dumps(dict(variables), indent=2, ensure_ascii=False) + "\n"
    return "".join(_LINES[form](name, value) + "\n" for name, value in variables.items())


def _dotenv(name: str, value: str) -> str:
    if _PLAIN.fullmatch(value):
        return f"{name}={value}"
    if "\r" in value:
        # Readers in text mode make "\n" of it, so it needs an escape, which only double quotes have.
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n")
        return f'{name}="{escaped}"'
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{escaped}'"


def _shell(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _github(name: str, value: str) -> str:
    """The syntax of the file that GITHUB_ENV names; several lines stand between two delimiters."""
    if "\n" not in value and "\r" not in value:
        return f"{name}={value}"
    delimiter = f"end_{secrets.token_hex(8)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}"


_LINES: Mapping[str, Callable[[str, str], str]] = {"dotenv": _dotenv, "shell": _shell, "github": _github}
