"""What the tools share: running a program, saying what is done, and failing in two sentences."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Version = tuple[int, ...]


class StopError(Exception):
    """A tool cannot go on: what happened, and what the user can do about it."""

    def __init__(self, what: str, hint: str = "") -> None:
        """Both are whole sentences without a final stop; `hint` may have several lines."""
        super().__init__(what)
        self.what = what
        self.hint = hint


class CommandError(StopError):
    """A program ended with another status than 0, or is not there."""

    def __init__(self, program: str, output: str) -> None:
        """Keep all of `output` (for a look at its words); show its last lines."""
        tail = "\n".join(output.strip().splitlines()[-15:])
        super().__init__(f"{program} failed", tail)
        self.output = output


def run(*argv: str, seconds: float | None = None, **variables: str) -> str:
    """The standard output of a program, in English; raises CommandError when it fails or takes too long.

    `variables` are set in its environment beside what we have in ours.
    """
    env = {**os.environ, "LC_ALL": "C.UTF-8", **variables}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds, env=env, check=False)
    except FileNotFoundError as error:
        raise CommandError(argv[0], f"{argv[0]}: command not found") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(argv[0], f"no answer after {seconds:g} s") from error
    if done.returncode != 0:
        name = " ".join(word for word in argv[:2] if not word.startswith("-"))
        raise CommandError(name, done.stderr or done.stdout)
    return done.stdout


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print `title` and how many seconds its body took, on one line, when it is done."""
    began = time.monotonic()
    yield
    say(f"{title}: {time.monotonic() - began:.1f} s")


def say(line: str) -> None:
    """Print one line at once, also into a pipe."""
    print(line, flush=True)


def version(text: str) -> Version | None:
    """The numbers of the first version in `text`, as 28.5.2 in `5:v28.5.2+dfsg4-5`; None when there is none."""
    found = re.search(r"(?<![\d.])(?:\d+:)?v?(\d+(?:\.\d+)+)", text)
    return tuple(map(int, found[1].split("."))) if found else None


def dotted(number: Version | None) -> str:
    """A version as people write it."""
    return "none" if number is None else ".".join(map(str, number))


def at_least(found: Version | None, least: Version) -> bool:
    """Whether something is there and new enough."""
    return found is not None and found >= least


def main(tool: Callable[[list[str]], None]) -> int:
    """Run `tool` with the arguments of the command line; its exit code (1 when it had to stop)."""
    try:
        tool(sys.argv[1:])
    except StopError as error:
        print(f"error: {error.what}", error.hint, sep="\n" if error.hint else "", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
