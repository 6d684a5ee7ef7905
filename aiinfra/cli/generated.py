"""Answers of MPC-API for people: lines of text, whole or as they come."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiinfra.console import Console

_SHOWN = {
    "thumbnail-prompt": ("prompt", "negativePrompt", "textOverlay", "composition", "colours", "aspectRatio"),
    "metadata": ("title", "description", "tags", "hashtags", "category"),
}


def lines(kind: str, data: Mapping[str, Any]) -> list[str]:
    """Return the answer to a request of `kind` as lines to read."""
    if kind == "script":
        return [*_script(data), *remarks(data)]
    shown = [
        f"{name}: {', '.join(data[name]) if isinstance(data[name], list) else data[name]}" for name in _SHOWN[kind]
    ]
    return [*shown, *(f"{one['timestamp']} {one['title']}" for one in data.get("chapters", ()))]


def _script(data: Mapping[str, Any]) -> Iterator[str]:
    yield data["title"]
    yield f"\n{data['hook']}"
    for section in data["sections"]:
        yield f"\n{section['heading']} ({section['seconds']} s)"
        yield f"  {section['narration']}"
        yield f"  [{section['visualNotes']}]"
    yield f"\n{data['callToAction']}"


def remarks(data: Mapping[str, Any]) -> list[str]:
    """Return what stands below the text, also where that was shown already or went to a file."""
    if "wordCount" not in data:
        return []
    return [f"\n{data['wordCount']} words, about {data['estimatedSeconds']} s"]


def warnings(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was asked for and not honoured, as MPC-API found."""
    checks = data.get("checks") or {}
    if checks.get("languageOk") is False:
        yield f"the text does not seem to be in the language asked for ({data['language']})"
    if checks.get("durationOk") is False:
        yield f"the narration takes about {data['estimatedSeconds']} s, which does not suit the duration asked for"


class Telling:
    """Shows the parts of an answer while they grow: text for people, one object a line with `--json`."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._path: str | None = None

    def part(self, path: str, text: str | None) -> None:
        """More `text` of the part at `path`; None: what was shown is void."""
        if self._console.as_json:
            event = {"event": "reset"} if text is None else {"event": "delta", "path": path, "text": text}
            self._console.json_line(event)
            return
        if text is None:
            self.end()
            self._console.say("the draft did not fit: the model is asked again")
            return
        if path != self._path:
            self.end()
            self._console.piece(f"{path}: ")
            self._path = path
        self._console.piece(text)

    def end(self) -> None:
        """End the line of the part that was shown last."""
        if self._path is not None:
            self._console.piece("\n")
            self._path = None
