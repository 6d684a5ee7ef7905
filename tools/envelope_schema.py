"""The JSON schema of what commands print with `--json`: `make reference` writes docs/envelope.schema.json from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from aiinfra.commands.logs import LogLine
from aiinfra.commands.watching import Round
from aiinfra.envelope import Envelope
from aiinfra.errors import Code

SCHEMA = Path(__file__).resolve().parent.parent / "docs" / "envelope.schema.json"


def schema() -> dict[str, Any]:
    """The envelope itself; below $defs also the lines of the streams, `LogLine` and `Round`."""
    found = TypeAdapter(Envelope).json_schema(mode="serialization")
    definitions = found.pop("$defs")
    for line in (LogLine, Round):
        one = TypeAdapter(line).json_schema(mode="serialization")
        definitions |= one.pop("$defs", {})
        definitions[line.__name__] = one
    definitions["Fault"]["properties"]["code"] = {"enum": [code.name for code in Code]}
    for one in (found, *definitions.values()):
        one["additionalProperties"] = False
        one["required"] = list(one["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "if": {"properties": {"status": {"const": "error"}}},
        "then": {"properties": {"error": {"$ref": "#/$defs/Fault"}}},
        "else": {"properties": {"error": {"type": "null"}}},
        "$defs": definitions,
    }


def text() -> str:
    """What stands in the file."""
    return json.dumps(schema(), indent=2) + "\n"
