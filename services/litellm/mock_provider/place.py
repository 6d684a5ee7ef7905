"""Where in the value that is being made we are."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Place:
    """The nearest property's name, the position in the nearest list, the nesting.

    `listed`: the list's own element, not a property in it. `share`: among how many elements of all lists around
    the whole is divided. `points`: the request's key points that this part of the whole takes up.
    """

    name: str = ""
    item: int | None = None
    depth: int = 0
    listed: bool = False
    share: int = 1
    points: tuple[str, ...] = ()

    def property(self, name: str) -> Place:
        return replace(self, name=name, depth=self.depth + 1, listed=False)

    def element(self, item: int, count: int) -> Place:
        """The place of element `item` of `count`, with its part of the points, in order."""
        every = len(self.points)
        first, end = (item, item + 1) if every <= count else (item * every // count, (item + 1) * every // count)
        return replace(
            self,
            item=item,
            depth=self.depth + 1,
            listed=True,
            share=self.share * max(count, 1),
            points=self.points[first:end],
        )
