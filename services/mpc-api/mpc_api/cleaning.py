"""Text as it enters: one Unicode normal form, no control characters."""

import unicodedata

import regex
from pydantic_core import PydanticCustomError

# C0 and C1 without tab, line feed and carriage return; NUL is among them.
_CONTROL = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_VISIBLE = regex.compile(r"[^\p{C}\p{Z}\s]")


def given(value: object) -> object:
    """A caller's text in NFC. Raises PydanticCustomError for control characters and for text that shows nothing."""
    if not isinstance(value, str):
        return value
    if _CONTROL.search(value):
        raise PydanticCustomError("string_control", "Control characters are not allowed")
    if value.strip() and not _VISIBLE.search(value):
        raise PydanticCustomError("string_invisible", "There is nothing to see in this text")
    return unicodedata.normalize("NFC", value)


def written(value: object) -> object:
    """A model's text in NFC, without control characters: it cannot be asked to obey as a caller can."""
    return unicodedata.normalize("NFC", _CONTROL.sub("", value)) if isinstance(value, str) else value
