"""The `aiinfra` command."""

import sys

from aiinfra import __version__


def main() -> None:
    # Typer alone takes seven times what Python takes to start; the version needs nothing of it.
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"aiinfra {__version__}\n")
        return
    from aiinfra.cli import run  # noqa: PLC0415

    sys.exit(run())


if __name__ == "__main__":
    main()
