"""`history`: the applied states that a stack can go back to."""

from dataclasses import dataclass

from aiinfra import generations
from aiinfra.target import Target


@dataclass(frozen=True)
class HistoryRow:
    """`current` is the state that was applied last, `default` the one that `rollback` goes back to."""

    number: int
    at: str
    verb: str
    provider_config: str
    healthy: bool
    whole: bool
    images: tuple[str, ...]
    current: bool
    default: bool


@dataclass(frozen=True)
class History:
    stack: str
    generations: tuple[HistoryRow, ...]
    damaged: tuple[str, ...]


def history(target: Target) -> History:
    """Return what is kept, newest first; asks no engine."""
    found = generations.load(target.workspace)
    state = target.workspace.state()
    current = state.generation if state else 0
    default = generations.before(found, current)
    rows = tuple(
        HistoryRow(
            one.number,
            one.at,
            one.verb,
            one.provider_config,
            one.healthy,
            one.whole,
            tuple(one.images[service] for service in sorted(one.images)),
            one.number == current,
            one is default,
        )
        for one in reversed(found)
    )
    return History(target.name, rows, generations.damaged(target.workspace))
