"""One JSON object per line on stdout: time, level, event and whatever the caller adds in `fields`."""

import json
import logging
import sys
import traceback
from types import TracebackType

from mpc_api.wire import timestamp


class JsonLines(logging.Formatter):
    """Formats a record; an exception shows its type and places, never its message.

    Messages of exceptions quote the data they failed on: prompts, answers, keys.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["at"] = _places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False, default=str)


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-8:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def configure(level: str) -> None:
    """Send our own lines from `level` on, and other libraries' warnings, to stdout."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("mpc_api").setLevel(level.upper())
