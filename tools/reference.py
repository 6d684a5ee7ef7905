"""Write docs/reference.md from the code: commands, settings, keys, codes. Run: `make reference`."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

import envelope_schema
from aiinfra.cli.boundary import application
from aiinfra.errors import Code
from aiinfra.keys import OWN_KEYS
from aiinfra.settings import Settings

Schema = Mapping[str, Any]
REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference.md"


def reference() -> str:
    """Return the whole document."""
    parts = ["# Reference", "Generated from the code by `make reference`.", *commands(), *settings(), *keys(), *codes()]
    return "\n\n".join(parts) + "\n"


def commands() -> Iterator[str]:
    yield "## Commands"
    root: Any = typer.main.get_command(application())
    yield help_of(root, None)
    for name in root.list_commands(None):
        command = root.get_command(None, name)
        yield f"### aiinfra {name}\n\n{help_of(command, name)}"
        for inner_name, inner in getattr(command, "commands", {}).items():
            yield f"### aiinfra {name} {inner_name}\n\n{help_of(inner, f'{name} {inner_name}')}"


def help_of(command: Any, name: str | None) -> str:  # noqa: ANN401 - Typer has no public name for it
    context = command.context_class(command, info_name=f"aiinfra {name}" if name else "aiinfra", terminal_width=100)
    return f"```\n{command.get_help(context)}\n```"


def settings() -> Iterator[str]:
    yield "## Settings: aiinfra.yaml"
    yield "Every key is optional. An unknown key is refused."
    schema = Settings.model_json_schema(by_alias=True)
    yield table(("Key", "Value", "Default", "Meaning"), list(setting_rows(schema, schema["$defs"], "")))


def setting_rows(section: Schema, definitions: Schema, prefix: str) -> Iterator[tuple[str, ...]]:
    """Yield a row per key; the keys of a section, optional or in a list, stand below its own name."""
    for name, field in section["properties"].items():
        kind = kind_of(field)
        within, below = (kind["items"], "[].") if "$ref" in kind.get("items", {}) else (kind, ".")
        if "$ref" not in within:
            default = "" if field.get("default") is None else f"`{json.dumps(field['default'])}`"
            yield f"`{prefix}{name}`", value_of(kind), default, field["description"]
            continue
        if "description" in field:
            yield f"`{prefix}{name}`", "list" if below == "[]." else "mapping", "", field["description"]
        yield from setting_rows(definitions[within["$ref"].rpartition("/")[2]], definitions, f"{prefix}{name}{below}")


def kind_of(field: Schema) -> Schema:
    """Return what a field holds when it holds something."""
    found: Schema = next((one for one in field.get("anyOf", ()) if one.get("type") != "null"), field)
    return found


def value_of(kind: Schema) -> str:
    if "enum" in kind:
        return ", ".join(f"`{word}`" for word in kind["enum"])
    if "maximum" in kind:
        return f"{kind['minimum']} to {kind['maximum']}"
    words = {"string": "text", "object": "mapping", "array": "list", "boolean": "`true` or `false`"}
    return words.get(kind["type"], str(kind["type"]))


def keys() -> Iterator[str]:
    yield "## Keys: .env"
    yield "Generated where they are missing; a placeholder or a short one is refused."
    yield table(("Variable", "Meaning"), [(f"`{key.name}`", key.meaning) for key in OWN_KEYS])


def codes() -> Iterator[str]:
    yield "## Exit codes and error codes"
    yield "0 is success. With `--json`, `error.code` says more than the exit code:"
    rows = sorted((code.exit_code, f"`{code.name}`", code.meaning) for code in Code)
    yield table(("Exit code", "Error code", "Meaning"), rows)


def table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    envelope_schema.SCHEMA.write_text(envelope_schema.text(), encoding="utf-8")
    sys.stdout.write(f"wrote {REFERENCE.name}, {envelope_schema.SCHEMA.name}\n")
