"""The docker commands as they are run, ours and those of python-on-whales, for a user who wants to repeat them."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

# Keys travel in files and on standard input; an address may have a password.
_USER_INFO = re.compile(r"://[^\s/@]+@")


def tell_commands(say: Callable[[str], None]) -> None:
    """Say every docker command of this process from now on, quoted for a shell, without passwords of addresses."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("subprocess.Popen", "os.exec"):
            command = arguments[1]
            if isinstance(command, list | tuple) and command and Path(str(command[0])).name == "docker":
                say(_USER_INFO.sub("://****@", shlex.join(map(str, command))))

    sys.addaudithook(hook)
