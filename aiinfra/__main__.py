"""The `aiinfra` command."""

import os
import signal
import sys

from aiinfra import __version__


def main() -> None:
    # Typer alone takes seven times what Python takes to start; the version needs nothing of it.
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"aiinfra {__version__}\n")
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl-C while modules are loaded: nothing was begun, so there is nothing to say.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # It has none of ours, and to look for some takes as long as to load the rest of it.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from aiinfra.cli import run  # noqa: PLC0415

    sys.exit(run())


if __name__ == "__main__":
    main()
