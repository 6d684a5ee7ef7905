"""How tables, a watched stack and log lines look; console.py prints them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Protocol

    from rich.console import Console, RenderableType
    from rich.table import Table

    class LogLine(Protocol):
        """A line of a log, read."""

        @property
        def time(self) -> str: ...
        @property
        def service(self) -> str: ...
        @property
        def container(self) -> str: ...
        @property
        def level(self) -> str: ...
        @property
        def request_id(self) -> str: ...
        @property
        def message(self) -> str: ...
        @property
        def fields(self) -> Mapping[str, Any]: ...


SERVICE_STYLES: Mapping[str, str] = {"redis": "red", "litellm": "magenta", "mpc-api": "cyan", "edge": "green"}

_STATUS_STYLES = {
    "healthy": "green",
    "running": "green",
    "degraded": "yellow",
    "starting": "yellow",
    "unhealthy": "bold red",
    "stopped": "red",
    "exited": "red",
    "paused": "red",
    "restarting": "red",
    "unknown": "yellow",
}
_LEVEL_STYLES = {"debug": "dim", "warning": "yellow", "error": "bold red", "critical": "bold red"}
_GAP = 2
# What the last column is left, before others give way to it.
_REST = 12
# Wider than this, any column is folded where a table does not fit.
_WIDE = 30


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], width: int, optional: Sequence[str] = ()
) -> "Table":
    """Return a table that fits: `optional` columns give way, the first of them first; the last and wide ones fold."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = _fitting(columns, rows, width, optional)
    made = Table(box=None, pad_edge=False, header_style="bold")
    for place, index in enumerate(shown):
        last = place == len(shown) - 1
        wide = max((len(str(row[index])) for row in rows), default=0) > _WIDE
        made.add_column(columns[index], overflow="fold", no_wrap=not (last or wide))
    for row in rows:
        cells = [str(row[index]) for index in shown]
        made.add_row(*(Text(cell, style=_STATUS_STYLES.get(cell, "")) for cell in cells))
    return made


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    shown = ((" " * _GAP).join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in shown)


def watched(console: "Console", headline: str, status: str, body: "Table | None", note: str) -> "RenderableType":
    """Return the live view of a watch: a headline, the table, and what there is to say below it."""
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    head = Text(f"{headline} ").append(status, style=_STATUS_STYLES.get(status, ""))
    parts: list[RenderableType] = [head, *([body] if body else []), *([Text(note, style="yellow")] if note else [])]
    return Group(*parts) if console.height > len(parts) else head


def log_parts(line: "LogLine", *, whole_time: bool) -> list[tuple[str, str]]:
    """Return a line's pieces with their styles: service, time, level, message, request id, everything else."""
    from aiinfra.loglines import shown_fields  # noqa: PLC0415 - not for tables

    number = line.container.rpartition("-")[2]
    label = line.service if number == "1" else f"{line.service}-{number}"
    time = line.time if whole_time else f"{line.time[11:23]}Z"
    request = f" request={line.request_id}" if line.request_id else ""
    return [
        (f"{label:<9} ", SERVICE_STYLES.get(line.service, "")),
        (f"{time} ", "dim"),
        (f"{line.level.upper():<7} ", _LEVEL_STYLES.get(line.level, "")),
        (line.message, ""),
        (request, "bold"),
        (shown_fields(line.fields), "dim"),
    ]


def _fitting(
    columns: Sequence[str], rows: Sequence[Sequence[object]], width: int, optional: Sequence[str]
) -> list[int]:
    shown = list(range(len(columns)))
    for name in optional:
        if _width(columns, rows, shown, folding=columns[shown[-1]] not in optional) <= width:
            break
        shown.remove(columns.index(name))
    return shown


def _width(columns: Sequence[str], rows: Sequence[Sequence[object]], shown: Sequence[int], *, folding: bool) -> int:
    widths = [max(len(columns[index]), *(len(str(row[index])) for row in rows), 0) for index in shown]
    return sum(widths[:-1]) + _GAP * (len(shown) - 1) + (min(widths[-1], _REST) if folding else widths[-1])
