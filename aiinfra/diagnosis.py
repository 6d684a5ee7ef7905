"""Why a service did not become ready: which one, since when, why, the lines that matter, the next command to type."""

import re
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aiinfra.engine import Container, Exit
from aiinfra.errors import AiinfraError, Code
from aiinfra.loglines import cleaned, entry

LOG_LINES = 200
_SHOWN = 8
_WIDTH = 300
_SIGNALLED = 128
_KILLED = 137
# A short word in a text is not a key.
_TELLING = 8

_GRAVE = ("error", "critical")
_TELLS = re.compile(r"error|exception|fatal|panic|refus|denied|cannot|can't|failed|missing|invalid", re.IGNORECASE)
_FRAME = re.compile(r'\s*(File "|\^|Traceback|During handling|The above exception|raise |return )|\s{4,}\S')


@dataclass(frozen=True)
class Cause:
    """What a log says went wrong: a word for scripts, the reason for people, and what to do."""

    word: str
    reason: str
    fix: str = ""


# What services are known to write, and what it means.
_KNOWN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Cause]], ...] = (
    (
        re.compile(
            r"(?:missing|not set|no |without|required|provide)[^\n]{0,80}?\b([A-Z][A-Z0-9_]*_(?:API_)?KEY)\b"
            r"|\b([A-Z][A-Z0-9_]*_(?:API_)?KEY)\b[^\n]{0,40}(?:missing|not set|is required)",
            re.IGNORECASE,
        ),
        lambda found: Cause(
            "missing_key", f"a key is missing: {found[1] or found[2]}", f"set {found[1] or found[2]} in the .env file"
        ),
    ),
    (
        re.compile(r"(?:address already in use|cannot bind|bind\(?\)?[^\n]{0,40}failed)[^\n]*", re.IGNORECASE),
        lambda _: Cause("port", "a port that it listens on is taken inside its container"),
    ),
    (
        re.compile(r"\b(?:WRONGPASS|NOAUTH)\b"),
        lambda _: Cause(
            "redis_password", "Redis refuses its password", "`aiinfra restart redis` applies the .env file"
        ),
    ),
    (
        re.compile(r"(?:bad file format|append only file|AOF)[^\n]*(?:corrupt|truncated|wrong|format)", re.IGNORECASE),
        lambda _: Cause(
            "data", "the data that it reads at its start is damaged", "go back to a backup: `aiinfra restore FILE`"
        ),
    ),
    (
        re.compile(r"no space left on device", re.IGNORECASE),
        lambda _: Cause("disk", "no space is left on the disk of the Docker engine", "free some (`docker system df`)"),
    ),
    (
        re.compile(r"\[Errno 13\] Permission denied: '?([^'\n]+)"),
        lambda found: Cause("permission", f"it may not use {found[1]}"),
    ),
)


def exit_reason(service: str, end: Exit) -> str:
    """Say how a container ended."""
    if end.out_of_memory:
        return f"it ran out of memory (its limit is services.{service}.memory) and was killed"
    if end.code == _KILLED:
        return "it was killed (signal 9)"
    if end.code > _SIGNALLED and (name := _signal(end.code - _SIGNALLED)):
        return f"it was ended by {name}"
    return f"it exited with code {end.code}"


def not_ready(
    service: str,
    container: Container | None,
    reason: str,
    *,
    end: Exit | None = None,
    lines: Sequence[str] = (),
    secrets: Iterable[str] = (),
    left: bool = True,
) -> AiinfraError:
    """Return the error (NOT_READY) for a service that did not become ready.

    `reason` is what was seen from outside, `end` how it ended, `lines` the end of its log. No value of `secrets` is
    shown. `left` says that its container is still there for a look.
    """
    hidden = sorted((one for one in secrets if len(one) >= _TELLING), key=len, reverse=True)
    lines = [_redacted(cleaned(line), hidden) for line in lines]
    found = _cause(service, end, lines, reason)
    since = _since(container, end)
    shown = matter(lines)
    why = _redacted(reason, hidden) + (f": {found.reason}" if found.word in _WORDS else "")
    log = "".join(f"\n  {line}" for line in shown)
    again = "`aiinfra up`" if left else "run the same command again"
    look = f"; its container is left for a look: `aiinfra logs {service}`" if left else ""
    fix = found.fix or ("" if left else "put right what its log says")
    hint = f"{fix}, then {again}{look}" if fix else look.removeprefix("; ")
    return AiinfraError(
        Code.NOT_READY,
        f"{service} did not become ready{since}: {why}" + (f"\nThe lines of its log that matter:{log}" if log else ""),
        hint=hint,
        details={
            "service": service,
            "since": _time(container, end),
            "cause": found.word,
            "reason": why,
            "log": shown,
        },
    )


def matter(lines: Sequence[str]) -> list[str]:
    """Return the few lines that say what went wrong, as they stand; the last ones where none does."""
    # The frames of a traceback say where, its other lines what.
    told = [line for line in lines if line.strip() and not _FRAME.match(line)]
    grave = [line for line in told if entry(line).level in _GRAVE or (not entry(line).level and _TELLS.search(line))]
    return [_short(line) for line in (grave or told)[-_SHOWN:]]


def _cause(service: str, end: Exit | None, lines: Sequence[str], reason: str) -> Cause:
    if end and end.out_of_memory:
        return Cause("out_of_memory", "", f"raise services.{service}.memory in aiinfra.yaml")
    text = "\n".join((*lines, reason))
    for pattern, explain in _KNOWN:
        if found := pattern.search(text):
            return explain(found)
    if end is None:
        return Cause("probe", "")
    return Cause("signal" if end.code > _SIGNALLED else "exit", "")


_WORDS = frozenset({"missing_key", "port", "redis_password", "data", "disk", "permission"})


def _since(container: Container | None, end: Exit | None) -> str:
    time = _time(container, end)
    return f" (since {time[11:19]} UTC)" if time else ""


def _time(container: Container | None, end: Exit | None) -> str | None:
    if container is None:
        return None
    moment = container.finished if end and not container.running and container.finished else container.started
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _short(line: str) -> str:
    found = entry(line)
    text = f"{found.level}: {_last_words(found.message)}" if line.startswith("{") and found.message else line
    return " ".join(text.split())[:_WIDTH]


def _last_words(message: str) -> str:
    """Return a message; of a traceback the last line, which says what was raised."""
    lines = [line for line in message.splitlines() if line.strip()]
    return lines[-1] if lines and "Traceback (most recent call last)" in message else message


def _redacted(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "****")
    return text


def _signal(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return ""
