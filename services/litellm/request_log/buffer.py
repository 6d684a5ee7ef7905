"""Rows that wait to be written, never more than fit."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from request_log.row import Row

_MAX_BYTES = 64 * 1024**2


@dataclass
class Buffer:
    """At most `most_rows` rows and `most_bytes` bytes; when one more comes, the oldest go and are counted."""

    most_rows: int
    most_bytes: int = _MAX_BYTES
    dropped: int = 0
    _rows: deque[Row] = field(default_factory=deque)
    _bytes: int = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row) -> None:
        self._rows.append(row)
        self._bytes += row.size
        while len(self._rows) > self.most_rows or (self._bytes > self.most_bytes and len(self._rows) > 1):
            self._bytes -= self._rows.popleft().size
            self.dropped += 1

    def oldest(self, count: int) -> list[Row]:
        """The rows to write next; they stay until `remove`, because writing may fail."""
        return list(islice(self._rows, count))

    def remove(self, rows: list[Row]) -> None:
        """Forget rows that are written. Those that had to go while they were being written are not lost after all."""
        written = {row.id for row in rows}
        while self._rows and self._rows[0].id in written:
            row = self._rows.popleft()
            self._bytes -= row.size
            written.remove(row.id)
        self.dropped -= len(written)

    def take_dropped(self) -> int:
        """How many were dropped since this was last asked."""
        count, self.dropped = self.dropped, 0
        return count
