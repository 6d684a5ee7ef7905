"""The readable parts of a JSON object that is still arriving."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jiter

# Every look parses from the beginning: not for every token of a long answer.
_LOOK_EVERY = 24


@dataclass(frozen=True)
class Delta:
    """More text of the part at `path`, such as `sections.0.narration`."""

    path: str
    text: str


@dataclass(frozen=True)
class Reset:
    """What was told so far is void: the model is asked again."""

    reason: str


Tell = Callable[[Delta | Reset], None]


class Partial:
    """Takes the pieces of one answer and tells its texts as they grow."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._text = ""
        self._looked = 0
        self._told: dict[str, str] = {}

    def piece(self, text: str) -> None:
        self._text += text
        if len(self._text) - self._looked >= _LOOK_EVERY or text.endswith(("}", '"')):
            self.look()

    def look(self) -> None:
        """Tell what is new; to be called at the end too."""
        self._looked = len(self._text)
        begin = self._text.find("{")
        if begin < 0:
            return
        try:
            found = jiter.from_json(self._text[begin:].encode(errors="replace"), partial_mode="trailing-strings")
        except ValueError:
            return
        for path, whole in _texts(found, ""):
            told = self._told.get(path, "")
            if len(whole) > len(told) and whole.startswith(told):
                self._told[path] = whole
                self._tell(Delta(path, whole[len(told) :]))


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # JSON
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _texts(child, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _texts(child, f"{path}.{index}")
