"""The requests of `generate batch`: a file with one JSON object a line."""

import json
from typing import Any

from aiinfra.errors import AiinfraError, Code

KINDS = ("script", "thumbnail-prompt", "metadata")


def requests_of(text: str, where: str) -> list[dict[str, Any]]:
    """Return {"kind", "request"} for every line of `text`; empty lines are passed over.

    A line is `{"kind": "script", "topic": ...}`, or with the fields inside a `request`. Raises USAGE with `where`
    and the line's number.
    """
    found = [_request(line, f"{where}:{number}") for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not found:
        raise AiinfraError(Code.USAGE, f"{where}: there is no request in it", hint=_HINT)
    return found


_HINT = 'one JSON object a line, such as {"kind": "script", "topic": "Volcanoes"}'


def _request(line: str, where: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise AiinfraError(Code.USAGE, f"{where}: not JSON: {error}", hint=_HINT) from error
    if not isinstance(fields, dict) or fields.get("kind") not in KINDS:
        raise AiinfraError(Code.USAGE, f"{where}: no `kind` of {', '.join(KINDS)}", hint=_HINT)
    kind = fields.pop("kind")
    inner = fields.pop("request", None)
    if inner is None:
        return {"kind": kind, "request": fields}
    if fields or not isinstance(inner, dict):
        raise AiinfraError(Code.USAGE, f"{where}: `request` is not an object, or not alone", hint=_HINT)
    return {"kind": kind, "request": inner}
