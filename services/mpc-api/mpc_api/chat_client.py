"""The `openai` client, quicker at its one request that is made often."""

from typing import TYPE_CHECKING

import httpx2
import openai

if TYPE_CHECKING:
    from openai._models import FinalRequestOptions

CHATS = "/chat/completions"


class ChatClient(openai.AsyncOpenAI):
    """Makes the request of a chat out of the first one: only its body and the headers given for it differ.

    To put all of it together each time is a fifth of what a call costs. For `post(CHATS, content=..., ...)`.
    """

    _first: httpx2.Request | None = None

    def _build_request(self, options: "FinalRequestOptions", *, retries_taken: int = 0) -> httpx2.Request:
        given = options.headers
        if options.url != CHATS or not isinstance(options.content, bytes) or not isinstance(given, dict):
            return super()._build_request(options, retries_taken=retries_taken)
        first = self._first
        if first is None:
            self._first = first = super()._build_request(options, retries_taken=retries_taken)
        differing = {b"content-length", *(name.lower().encode() for name in given)}
        headers = [header for header in first.headers.raw if header[0].lower() not in differing]
        headers += [(name.encode(), value.encode()) for name, value in given.items()]
        return httpx2.Request("POST", first.url, headers=headers, content=options.content, extensions=first.extensions)
