"""How a model is asked for JSON: by schema, else in JSON mode, else in plain words."""

import json
import time
from collections.abc import Callable, Mapping
from enum import Enum

FORGET_AFTER = 600.0


class Format(Enum):
    """From the strictest to what every model understands."""

    SCHEMA = "json_schema"
    JSON = "json_object"
    TEXT = "text"

    @property
    def weaker(self) -> "Format":
        return Format.JSON if self is Format.SCHEMA else Format.TEXT

    def parameter(self, name: str, schema: Mapping[str, object]) -> dict[str, object] | None:
        """The `response_format` of a chat request."""
        if self is Format.SCHEMA:
            return {"type": self.value, "json_schema": {"name": name, "strict": True, "schema": schema}}
        return {"type": self.value} if self is Format.JSON else None

    def words(self, schema: Mapping[str, object]) -> str:
        """What the instructions must say about the shape, because no parameter does."""
        if self is Format.SCHEMA:
            return ""
        text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        return f"\nThe JSON schema of your answer, which is that object alone, without a code fence:\n{text}\n"


class Formats:
    """Which format each model has shown to need; forgotten after ten minutes, for the gateway may route elsewhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, tuple[Format, float]] = {}

    def best(self, model: str) -> Format:
        found, until = self._found.get(model, (Format.SCHEMA, 0.0))
        return found if self._clock() < until else Format.SCHEMA

    def found(self, model: str, needed: Format) -> None:
        """Remember that `model` needs `needed`; that does not prolong what is known already."""
        if needed is not self.best(model):
            self._found[model] = (needed, self._clock() + FORGET_AFTER)
