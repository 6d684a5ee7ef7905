"""JSON that we wrote ourselves, read back into a record: whole, or not at all."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def record(kind: type[T], data: Mapping[str, Any]) -> T:
    """Return the dataclass `kind` of a JSON object; raises TypeError for a field that is missing, unknown or wrong."""
    hints = get_type_hints(kind)
    wrong = [name for name, value in data.items() if name in hints and not fits(value, hints[name])]
    if wrong:
        raise TypeError(f"not of the right kind: {', '.join(wrong)}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in data.items()})


def fits(value: object, kind: Any) -> bool:  # noqa: ANN401 - a type
    """Say whether a JSON value is what a field of this type is written as."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, list) and all(fits(one, arguments[0]) for one in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(fits(one, arguments[1]) for one in value.values())
    return kind is object or type(value) is kind
