"""Make sure that programs are here which tests and benchmarks start: `python3 tools/programs.py redis-server wrk`.

As root on Debian or Ubuntu each is installed from the distribution's package of the same name. Anywhere else it says
what to do and ends with status 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from typing import TYPE_CHECKING

import apt_archives
from steps import StopError, main, step

if TYPE_CHECKING:
    from collections.abc import Sequence


def programs(arguments: Sequence[str]) -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="+", help="a program, which is also the name of its package")
    missing = [name for name in parser.parse_args(arguments).name if not shutil.which(name)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise StopError(f"not here: {' '.join(missing)}", "install the packages of these names and run this again")
    apt_archives.archives()
    with step(f"installed {' '.join(missing)}"):
        apt_archives.install(missing)


if __name__ == "__main__":
    sys.exit(main(programs))
