"""What a command tells while it works; console.py decides how it looks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["begin", "detail", "done", "note", "warning"]


@dataclass(frozen=True)
class Event:
    """Something worth showing about `subject` (a service, an image, a file). `seconds` is how long it took."""

    kind: Kind
    subject: str
    text: str = ""
    seconds: float | None = None


Report = Callable[[Event], None]
