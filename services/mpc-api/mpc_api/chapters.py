"""Chapters by YouTube's rules: https://support.google.com/youtube/answer/9884579.

The first begins at 0:00, there are at least three, in ascending order, and each lasts at least 10 seconds.
"""

from collections.abc import Iterable

FEWEST = 3
SHORTEST_SECONDS = 10

Mark = tuple[int, str]


def by_the_rules(marks: Iterable[tuple[float, str]], length: int) -> list[Mark]:
    """(second, title) of the chapters that can stand in a piece of `length` seconds; [] when that leaves too few.

    Marks beyond the end are moved in proportion: then the model counted in another pace than we do.
    """
    ordered = sorted(marks, key=lambda mark: mark[0])
    latest = max(0, length - SHORTEST_SECONDS)
    pace = min(1.0, latest / ordered[-1][0]) if ordered and ordered[-1][0] > 0 else 1.0
    kept: list[Mark] = []
    for second, title in ordered:
        begin = int(second * pace) if kept else 0
        if not kept or begin - kept[-1][0] >= SHORTEST_SECONDS:
            kept.append((begin, title))
    return kept if len(kept) >= FEWEST else []


def clock(second: int) -> str:
    """`0:00`, `12:34` or `1:02:03`."""
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
