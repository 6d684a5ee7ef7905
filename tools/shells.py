"""Make sure that the shells are there whose completion is tested, zsh and fish: `python3 tools/shells.py`."""

from __future__ import annotations

import os
import shutil
import sys

import apt_archives
from steps import StopError, main, step

SHELLS = ("zsh", "fish")


def install(_arguments: list[str]) -> None:
    """Install those that are missing from the machine's own distribution."""
    missing = [name for name in SHELLS if shutil.which(name) is None]
    if not missing:
        return
    if os.geteuid() != 0:
        raise StopError(
            f"{', '.join(missing)} not installed", f"run this as root, or: sudo apt-get install {' '.join(missing)}"
        )
    with step(f"installed {' '.join(missing)}"):
        apt_archives.install(missing)


if __name__ == "__main__":
    sys.exit(main(install))
