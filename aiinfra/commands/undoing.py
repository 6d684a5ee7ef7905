"""Putting back what served, after a failure."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiinfra.errors import AiinfraError


@contextmanager
def undoing(first: BaseException) -> Iterator[None]:
    """Put something back after `first`: what fails at that is told beside it, never in its place."""
    try:
        yield
    except AiinfraError as second:
        if isinstance(first, AiinfraError):
            first.details.pop("kept", None)
            if second.message not in first.message:
                first.message += f"\nPutting things back failed too: {second.message}"
