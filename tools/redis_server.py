"""Make sure that `redis-server` is here, for the tests of MPC-API: `python3 tools/redis_server.py`.

As root on Debian or Ubuntu it is installed from the distribution's own packages.
Anywhere else it says what to do and ends with status 1.
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

PACKAGE = "redis-server"


def redis_server(arguments: Sequence[str]) -> None:
    """Run the tool."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    if shutil.which("redis-server"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise StopError("redis-server is not here", f"install the package {PACKAGE} and run this again")
    apt_archives.archives()
    with step(f"installed {PACKAGE}"):
        apt_archives.install([PACKAGE])


if __name__ == "__main__":
    sys.exit(main(redis_server))
