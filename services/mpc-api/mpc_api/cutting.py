"""Text cut to a size: between words, and never inside what a reader sees as one character."""

from collections.abc import Callable

import regex

_GRAPHEME = regex.compile(r"\X")
_WORD_BOUNDARY = regex.compile(r"(?w)\b")
# Scripts that put no spaces between words: a boundary by Unicode's rules (UAX 29) is a place to cut there.
_UNSPACED = regex.compile(
    r"[\p{Script=Hani}\p{Script=Hira}\p{Script=Kana}\p{Script=Thai}\p{Script=Laoo}\p{Script=Khmr}\p{Script=Mymr}"
    r"\u3001\u3002\uff01\uff0c\uff1f\u30fc]\p{M}*"
)
_ELLIPSIS = "…"


def cut(text: str, most: int, size: Callable[[str], int] = len) -> str:
    """`text` when its `size` is at most `most`, or its beginning with an ellipsis, cut between words.

    A first word that alone is too long is cut between graphemes: there is no better place. "" when not even
    one grapheme and the ellipsis fit.
    """
    if size(text) <= most:
        return text
    ends = [found.end() for found in _GRAPHEME.finditer(text)]
    fitting = ends[: _count_fitting(text, ends, most, size)]
    boundaries = {found.start() for found in _WORD_BOUNDARY.finditer(text)}
    between = next((end for end in reversed(fitting) if _is_between_words(text, end, boundaries)), None)
    if between is None:
        between = fitting[-1] if fitting else 0
    beginning = text[:between].rstrip().rstrip(",;:-\u2013\u2014(").rstrip()
    return beginning + _ELLIPSIS if beginning else ""


def _count_fitting(text: str, ends: list[int], most: int, size: Callable[[str], int]) -> int:
    """How many graphemes fit together with the ellipsis; sizes only grow with the text."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        if size(text[: ends[middle - 1]] + _ELLIPSIS) <= most:
            low = middle
        else:
            high = middle - 1
    return low


def _is_between_words(text: str, end: int, boundaries: set[int]) -> bool:
    if end == len(text) or text[end].isspace() or text[end - 1].isspace():
        return True
    before = _UNSPACED.search(text, max(0, end - 8), end)
    return end in boundaries and before is not None and _UNSPACED.fullmatch(text, _last(text, end), end) is not None


def _last(text: str, end: int) -> int:
    """Where the grapheme that ends at `end` begins; marks are at most a few characters long."""
    begin = end - 1
    while begin > 0 and regex.match(r"\p{M}", text[begin]):
        begin -= 1
    return begin
