"""Puts the secret files into the environment, the only place LiteLLM reads them from, then becomes the command.

    entrypoint.py COMMAND [ARGUMENT...]

Environment:
    AIINFRA_SECRETS_DIR  where the secret files are (default /run/secrets); a missing directory means no secrets.
                         A file's name is the variable's name, its whole content the value, byte for byte.
    CONFIG_FILE_PATH     LiteLLM's configuration; when set it must be a readable file, because LiteLLM itself
                         starts without any model when it is not.

Exit codes: 64 no command, 78 a secret or the configuration cannot be used, 127 the command cannot be started.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EX_USAGE = 64
EX_CONFIG = 78
NOT_STARTED = 127

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class StartError(Exception):
    """Why the command cannot be started, in one line, and the exit code that says so."""

    def __init__(self, message: str, exit_code: int = EX_CONFIG) -> None:
        """`message` never contains a secret's value."""
        super().__init__(message)
        self.exit_code = exit_code


def read_secrets(directory: Path) -> dict[str, str]:
    """Every secret file's name and text; dot files and directories are not secrets.

    Raises StartError for a file that cannot be read, is not UTF-8, holds a NUL byte or has a name that no
    environment variable can have.
    """
    if not directory.exists():
        return {}
    try:
        files = sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise StartError(f"secrets directory {directory}: {error.strerror}") from None
    return {path.name: _read_secret(path) for path in files}


def _read_secret(path: Path) -> str:
    if not _VARIABLE.fullmatch(path.name):
        raise StartError(f"secret file {path}: its name is not the name of an environment variable")
    try:
        value = path.read_bytes().decode()
    except OSError as error:
        raise StartError(f"secret file {path}: {error.strerror} (running as uid {os.getuid()})") from None
    except UnicodeDecodeError:
        raise StartError(f"secret file {path}: not UTF-8 text") from None
    if "\0" in value:
        raise StartError(f"secret file {path}: contains a NUL byte")
    return value


def check_config(path: Path) -> None:
    """Raises StartError unless LiteLLM will be able to read its configuration."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise StartError(f"configuration {path}: {error.strerror} (running as uid {os.getuid()})") from None


def become(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Replaces this process, so that the command gets our process id and every signal."""
    try:
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 (no shell is the point)
    except OSError as error:
        raise StartError(f"{command[0]}: {error.strerror}", NOT_STARTED) from None


def main(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Becomes the command, or says in one line on stderr why not and exits."""
    try:
        if not command:
            raise StartError("no command given", EX_USAGE)  # noqa: TRY301
        secrets = read_secrets(Path(environment.get("AIINFRA_SECRETS_DIR", "/run/secrets")))
        if "CONFIG_FILE_PATH" in environment:
            check_config(Path(environment["CONFIG_FILE_PATH"]))
        become(command, {**environment, **secrets})
    except StartError as error:
        sys.stderr.write(f"aiinfra: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(sys.argv[1:], os.environ)
