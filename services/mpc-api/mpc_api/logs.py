"""One line per event on stdout: a JSON object, or text for people while they develop."""

import asyncio
import logging
import sys
import traceback
from types import TracebackType
from typing import BinaryIO

from pydantic_core import to_json

from mpc_api.wire import timestamp


class JsonLines(logging.Formatter):
    """Formats a record; an exception shows its type and places, never its message.

    Messages of exceptions quote the data they failed on: prompts, answers, keys.
    """

    def format(self, record: logging.LogRecord) -> str:
        return to_json(_fields(record), serialize_unknown=True, inf_nan_mode="null").decode()


class TextLines(logging.Formatter):
    """`20:01:02.345 INFO    request status=200 ...`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        clock = str(fields.pop("time"))[11:-1]
        level, event = str(fields.pop("level")).upper(), fields.pop("event")
        return f"{clock} {level:7} {event} {' '.join(f'{name}={value}' for name, value in fields.items())}".rstrip()


class Output(logging.Handler):
    """Writes the lines of one turn of the event loop together: a write for each costs more than the line.

    Errors, and everything while no loop runs, are written at once.
    """

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._pending: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._pending.append(self.format(record))
        if record.levelno >= logging.ERROR:
            self.flush()
        elif len(self._pending) == 1:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:
                self.flush()

    def flush(self) -> None:
        # Another thread may add lines meanwhile.
        lines, self._pending = self._pending, []
        if lines:
            self._stream.write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
            self._stream.flush()


def _fields(record: logging.LogRecord) -> dict[str, object]:
    line: dict[str, object] = {
        "time": timestamp(record.created),
        "level": record.levelname.lower(),
        "event": record.getMessage(),
    }
    line.update(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[0]:
        line["exception"] = record.exc_info[0].__name__
        line["at"] = _places(record.exc_info[2])
    return line


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-8:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def configure(level: str, form: str = "json") -> None:
    """Send our own lines from `level` on, and other libraries' warnings, to stdout."""
    # https://docs.python.org/3/howto/logging.html#optimization: nothing here shows where a line comes from.
    logging._srcfile = None  # noqa: SLF001
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = Output(sys.stdout.buffer)
    handler.setFormatter(TextLines() if form == "text" else JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("mpc_api").setLevel(level.upper())
