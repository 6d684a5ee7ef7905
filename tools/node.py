"""Make sure that Node.js and npm are there, which the tests of OpenAI's Node client need: `python3 tools/node.py`."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import apt_archives
from steps import CommandError, StopError, at_least, dotted, main, run, say, step, version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steps import Version

NODE: Version = (18,)


def present() -> Version | None:
    """The version of Node.js, when it and npm are on PATH."""
    if shutil.which("npm") is None:
        return None
    try:
        return version(run("node", "--version"))
    except CommandError:
        return None


def node(_arguments: Sequence[str]) -> None:
    """Run the tool."""
    if not at_least(present(), NODE):
        if os.geteuid() != 0:
            raise StopError(f"Node.js {dotted(NODE)} with npm is not installed", "run this as root, or install them")
        with step("installed nodejs and npm"):
            apt_archives.install(["nodejs", "npm"])
    say(f"Node.js {dotted(present())} is there")


if __name__ == "__main__":
    sys.exit(main(node))
