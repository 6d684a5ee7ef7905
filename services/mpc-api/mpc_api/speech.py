"""How long words take to say, and whether a script has about the length that was asked for."""

from functools import lru_cache

import regex

# A calm voice-over: 150 words a minute; Chinese and Japanese are counted by character, about 270 a minute.
WORDS_PER_SECOND = 2.5
CHARACTERS_PER_SECOND = 4.5

# Narration shorter than the piece leaves room for pictures and pauses; longer does not fit, but some speak faster.
SHORTEST, LONGEST = 0.5, 1.25

_IDEOGRAPH = regex.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = regex.compile(r"\w+(?:['\u2019\-.,]\w+)*")


@lru_cache(maxsize=4)  # asked twice about each draft: what is wrong with it, and what the answer says of it
def spoken(text: str) -> tuple[int, int]:
    """How many words `text` has and how many seconds it takes to say, at least 1."""
    characters = 0 if text.isascii() else len(_IDEOGRAPH.findall(text))
    words = len(_WORD.findall(_IDEOGRAPH.sub(" ", text) if characters else text))
    seconds = words / WORDS_PER_SECOND + characters / CHARACTERS_PER_SECOND
    return words + characters, max(1, round(seconds))


def fits(asked: int, spoken_seconds: int) -> bool:
    """Whether narration of `spoken_seconds` suits a piece of `asked` seconds."""
    return asked * SHORTEST <= spoken_seconds <= asked * LONGEST
