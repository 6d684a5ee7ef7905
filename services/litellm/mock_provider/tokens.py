"""Token counting without a tokenizer's vocabulary.

The rule: blanks go with what follows them; then up to six letters or digits, or one other character, are one token.
It needs no network, never changes, and cutting a text after N tokens gives a text of N tokens.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from mock_provider.prompt import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TOKEN = re.compile(r"\s*(?:\w{1,6}|[^\w\s])|\s+")
_TOKENS_PER_MESSAGE = 4


def split(text: str) -> list[str]:
    """The tokens of a text; joined, they are the text."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens a text has."""
    return len(split(text))


def count_prompt(messages: Sequence[Mapping[str, Any]], *attachments: object) -> int:
    """Tokens of a conversation plus those of what is sent along as JSON (tools, a schema); None costs nothing."""
    spoken = sum(_TOKENS_PER_MESSAGE + count(text_of(message)) for message in messages)
    attached = (json.dumps(value, ensure_ascii=False, default=str) for value in attachments if value)
    return spoken + sum(count(text) for text in attached)
