"""The secrets of a build, as files that are there while it runs."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aiinfra.disk import UNFINISHED


@contextmanager
def as_options(secrets: Mapping[str, bytes], parent: Path) -> Iterator[list[str]]:
    """Write secrets to files below `parent`, private and gone afterwards; yields what `--secret` wants for each.

    Where the command is killed, the next one that holds the stack's lock finds them by their name.
    """
    if not secrets:
        yield []
        return
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".build.", suffix=UNFINISHED) as folder:
        options = []
        for name, value in secrets.items():
            path = Path(folder) / name
            path.touch(mode=0o600)
            path.write_bytes(value)
            # The option is a line of CSV: a path may have commas and quotes.
            source = f"src={path}".replace('"', '""')
            options.append(f'id={name},"{source}"')
        yield options
