"""What a build says (BuildKit's plain progress): without credentials, and why it failed."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

_LINES = 15
_ERROR = re.compile(r"#(\d+) ERROR: (.*)")
# Up to the last `@`: where an address is unreadable, the `@` or `/` of an unquoted password may be the reason.
_USER_INFO = re.compile(r"://(\S+)@")
# Below this length a password is also a word or a number of the log, and is hidden only beside its user.
_TELLING = 8


def credentials(secrets: Iterable[bytes]) -> tuple[str, ...]:
    """Return what no log may show of the addresses in `secrets`: USER:PASSWORD and PASSWORD, longest first."""
    found = set()
    for secret in secrets:
        for quoted in _USER_INFO.findall(secret.decode(errors="replace")):
            for user_info in (quoted, unquote(quoted)):
                password = user_info.partition(":")[2]
                found |= {user_info} | ({password} if len(password) >= _TELLING else set())
    return tuple(sorted(found, key=len, reverse=True))


def redacted(line: str, hidden: Iterable[str]) -> str:
    for word in hidden:
        line = line.replace(word, "****")
    return line


def failure(log: Sequence[str]) -> list[str]:
    """Return the last lines that the failed step wrote, or its error when it wrote none.

    BuildKit itself ends with an excerpt of the Dockerfile, which hides them. No failed step: the log's end.
    """
    failed = [found for line in log if (found := _ERROR.fullmatch(line))]
    if not failed:
        return list(log[-_LINES:])
    number, error = failed[-1].groups()
    own = re.compile(rf"#{number} \d+\.\d+ (.*)")
    written = [found[1] for line in log if (found := own.fullmatch(line))]
    return written[-_LINES:] or [error]
