"""What is wrong with an aiinfra.yaml, as its author reads it: line, key, rule and fix."""

import difflib
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, cast, get_args

import yaml
from pydantic import BaseModel, ValidationError

from aiinfra.naming import FILE_NAME


def of_yaml(error: Exception) -> str:
    """Return what is wrong with a text that is no YAML."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{FILE_NAME}:{error.problem_mark.line + 1}: {error.problem}"
    return f"{FILE_NAME}: {error}"


def of_keys(error: ValidationError, text: str, model: type[BaseModel]) -> list[str]:
    """Return what is wrong with the keys and values of a text, which is YAML, from top to bottom.

    `model` says what would be right.
    """
    root = cast("yaml.Node", yaml.compose(text, yaml.SafeLoader))
    found = [(_line(_location(item), root), _fault(item, model)) for item in error.errors(include_url=False)]
    return [f"{FILE_NAME}:{line}: {fault}" for line, fault in sorted(found, key=itemgetter(0))]


def _location(item: Mapping[str, Any]) -> list[Any]:
    return [part for part in item["loc"] if part not in ("int", "str", "[key]")]


def _fault(item: Mapping[str, Any], model: type[BaseModel]) -> str:
    location = _location(item)
    path = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown key{_did_you_mean(location, model)}"
    message = "must be a mapping" if item["type"] == "model_type" else item["msg"].removeprefix("Value error, ")
    secret = location[:1] == ["build"]  # addresses there may have a password
    shown = f"{item['input']!r} is refused: " if isinstance(item["input"], str | int | float) else ""
    shown = "" if secret else shown
    return f"{path}: {shown}{message[:1].lower()}{message[1:]}"


def _line(location: Sequence[Any], node: yaml.Node) -> int:
    """Return the line of a key, counted from 1; of one that is not there, that of the nearest around it."""
    line = node.start_mark.line
    for step in location:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == step), None)
        else:
            rows = node.value if isinstance(node, yaml.SequenceNode) and isinstance(step, int) else []
            pair = next(((row, row) for row in rows[step : step + 1]), None)
        if pair is None:
            break
        line, node = pair[0].start_mark.line, pair[1]
    return int(line) + 1


def _did_you_mean(location: Sequence[Any], model: type[BaseModel]) -> str:
    *parents, unknown = location
    section = model
    for parent in parents:
        for name, field in section.model_fields.items():
            held = [field.annotation, *get_args(field.annotation)]
            inner = [one for one in held if isinstance(one, type) and issubclass(one, BaseModel)]
            if (field.alias or name) == parent and inner:
                section = inner[0]
    known = [field.alias or name for name, field in section.model_fields.items()]
    close = difflib.get_close_matches(str(unknown), known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known here: {', '.join(known)}"
