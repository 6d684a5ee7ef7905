"""Where time comes from."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Seconds; monotonic."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def until(self, holds: Callable[[], bool], *, seconds: float, pause: float = 0.2) -> bool:
        """Ask again and again until something holds, at most for `seconds`; return whether it does."""
        end = self.now() + seconds
        while not holds():
            if self.now() > end:
                return False
            self.sleep(pause)
        return True


SYSTEM_CLOCK = Clock()
