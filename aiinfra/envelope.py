"""What every command answers with `--json`: one object on one line, for success and failure alike."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Literal

from aiinfra.errors import AiinfraError

SCHEMA_VERSION: Literal[1] = 1


@dataclass(frozen=True)
class Fault:
    """What went wrong: `code` for programs, `message` says what happened, `hint` what to do next."""

    code: str
    message: str
    hint: str
    details: dict[str, Any]


@dataclass(frozen=True)
class Envelope:
    """The answer of a command. `data` is the command's own; it may be there beside an `error`."""

    schema_version: Literal[1]
    command: str
    status: Literal["ok", "error"]
    data: Any
    warnings: list[str]
    error: Fault | None


def envelope(command: str, data: object, error: AiinfraError | None, warnings: Sequence[str]) -> dict[str, Any]:
    fault = Fault(error.code.name, error.message, error.hint, error.details) if error else None
    status: Literal["ok", "error"] = "error" if error else "ok"
    return asdict(Envelope(SCHEMA_VERSION, command, status, {} if data is None else plain(data), list(warnings), fault))


def plain(data: object) -> Any:  # noqa: ANN401 - JSON
    if is_dataclass(data) and not isinstance(data, type):
        return asdict(data)
    if isinstance(data, Mapping):
        return {key: plain(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [plain(item) for item in data]
    return data
