"""What a line of a log says: level, message, request id and the rest, whichever program wrote it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiinfra.errors import AiinfraError, Code

LEVELS = ("debug", "info", "warning", "error", "critical")

_LEVEL_OF: Mapping[str, str] = {
    **{level: level for level in LEVELS},
    **dict.fromkeys(("trace", "verbose", "."), "debug"),
    **dict.fromkeys(("notice", "-", "*"), "info"),
    **dict.fromkeys(("warn", "#"), "warning"),
    **dict.fromkeys(("err", "alert"), "error"),
    **dict.fromkeys(("fatal", "emerg", "crit"), "critical"),
}
# Redis: 1:M 28 Nov 2026 19:41:33.889 * Ready to accept connections
_REDIS = re.compile(r"\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]+ (?P<level>[.*#-]) (?P<message>.*)")
# HAProxy, of itself: [WARNING]  (8) : Server litellm/litellm1 is UP
_HAPROXY = re.compile(r"\[(?P<level>[A-Z]+)\]\s+\(\d+\) : (?P<message>.*)")
# Uvicorn, where its log is not JSON: INFO:     Started server process [1]
_PLAIN = re.compile(r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL): +(?P<message>.*)")

_MESSAGES = ("message", "event", "msg")
_LEVELS = ("level", "levelname", "severity")
_REQUESTS = ("request_id", "requestId", "x-request-id", "litellm_call_id")
# Said by Docker already, or meant for a program.
_NOISE = frozenset({"time", "timestamp", "color_message", "logger", "component"})

# Escape sequences that terminals obey (ECMA-48: CSI, OSC and the two-byte ones), and control characters but tab.
_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])?"
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]"
)
_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True)
class Entry:
    """`level` is "" where the line has none of its own; `fields` is what else a JSON line holds."""

    level: str
    message: str
    request_id: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


def cleaned(text: str) -> str:
    """Return a line without anything that a terminal would obey."""
    return _CONTROL.sub("", text)


def entry(text: str) -> Entry:
    """Read one line."""
    if text.startswith("{"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if isinstance(data, dict):
            return _from_json(data)
    for pattern in (_REDIS, _HAPROXY, _PLAIN):
        if found := pattern.fullmatch(text):
            return Entry(_LEVEL_OF.get(found["level"].lower(), ""), found["message"])
    return Entry("", text)


def _from_json(data: dict[str, Any]) -> Entry:
    level = next((str(data.pop(name)) for name in _LEVELS if data.get(name)), "")
    message = next((str(data.pop(name)) for name in _MESSAGES if data.get(name)), "")
    request = next((str(data.pop(name)) for name in _REQUESTS if data.get(name)), "")
    rest = {name: value for name, value in data.items() if name not in _NOISE}
    return Entry(_LEVEL_OF.get(level.lower(), ""), cleaned(message) if "\n" not in message else message, request, rest)


def shown_fields(fields: Mapping[str, Any]) -> str:
    """Return what a reader sees after the message: NAME=VALUE; what has several lines comes last, on its own."""
    early, late = [], []
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if "\n" in text:
            late.append(f"\n  {name}:" + "".join(f"\n    {cleaned(line)}" for line in text.splitlines()))
        elif text:
            early.append(f" {name}={cleaned(text)}")
    return "".join((*early, *late))


class Sieve:
    """Lets through what was asked for. A line without a level of its own has that of the line before it.

    `least` is the least level, `pattern` what the text must contain; None lets all through.
    """

    def __init__(self, least: str | None, pattern: re.Pattern[str] | None) -> None:
        self._least = least
        self._pattern = pattern
        self._last: dict[str, str] = {}

    @property
    def open(self) -> bool:
        return self._least is None and self._pattern is None

    def passes(self, container: str, one: Entry, text: str) -> bool:
        level = self._last[container] = one.level or self._last.get(container, "info")
        if self._least is not None and LEVELS.index(level) < LEVELS.index(self._least):
            return False
        return self._pattern is None or self._pattern.search(text) is not None


def moment(text: str, option: str, now: datetime) -> str:
    """Return a point in time as the engine takes it: a span before `now` ("90s", "1h30m", "2d"), or an ISO 8601 time.

    A time is UTC unless it says otherwise. Raises AiinfraError (USAGE).
    """
    if text and (found := _SPAN.fullmatch(text)):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        try:
            when = now - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        except OverflowError as error:
            raise _not_a_time(text, option) from error
    else:
        try:
            when = datetime.fromisoformat(text)
        except ValueError as error:
            raise _not_a_time(text, option) from error
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _not_a_time(text: str, option: str) -> AiinfraError:
    return AiinfraError(
        Code.USAGE, f"{option}: '{text}' is no time", hint="use a span, as 90s, 1h30m or 2d, or 2026-11-28T19:30:00Z"
    )
