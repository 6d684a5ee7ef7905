"""What the platforms accept, each limit with its source.

A "character" is counted as a UTF-16 code unit where the platform does not say: the strictest of the usual readings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import regex

Name = Literal["youtube", "tiktok", "instagram", "facebook", "linkedin", "x", "podcast"]


@dataclass(frozen=True)
class Limit:
    """At most `most`, counted by `size`; `source` is where it is written down."""

    most: int
    size: Callable[[str], int]
    source: str


@dataclass(frozen=True)
class Platform:
    """`description` bounds what is posted together: description, chapter lines (where `chapters`) and hashtags.

    `tags` bounds all tags together, as `tags_size` counts them; None where there are no tags.
    """

    title: Limit
    description: Limit
    hashtags: int
    hashtags_source: str
    tags: Limit | None = None
    chapters: bool = False
    refused: str = ""


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


_LINK = regex.compile(r"(?:https?://)?(?:[\w-]+\.)+\p{L}{2,}(?:/\S*)?")
_LINK_SIZE = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))


def weighted(text: str) -> int:
    """As X counts: most scripts of Europe 1, others 2, a link 23 however long.

    Never less than X's own count: an emoji of several code points, 2 there, is the sum of its parts here, and what
    only looks like a link is counted as one if that is more.
    """
    own = sum(1 if any(low <= ord(one) <= high for low, high in _LIGHT) else 2 for one in text)
    return own + sum(max(0, _LINK_SIZE - len(found)) for found in _LINK.findall(text))


# A title where the platform has none serves as the first line or as a file's name; this bound is ours.
_NO_TITLE = Limit(100, utf16, "none: the platform has no title; as long as YouTube's")

PLATFORMS: Mapping[Name, Platform] = {
    "youtube": Platform(
        # "maximum length of 100 characters", "of 5000 bytes", tags "500 characters", neither with < or >
        title=Limit(100, utf16, "https://developers.google.com/youtube/v3/docs/videos#snippet.title"),
        description=Limit(5_000, utf8, "https://developers.google.com/youtube/v3/docs/videos#snippet.description"),
        tags=Limit(500, utf16, "https://developers.google.com/youtube/v3/docs/videos#snippet.tags[]"),
        # with more than 60, every hashtag is ignored
        hashtags=60,
        hashtags_source="https://support.google.com/youtube/answer/6390658",
        chapters=True,
        refused="<>",
    ),
    "tiktok": Platform(
        # photo posts have a title of 90, a video's caption is 2,200, both in "UTF-16 runes"
        title=Limit(90, utf16, "https://developers.tiktok.com/doc/content-posting-api-reference-photo-post"),
        description=Limit(2_200, utf16, "https://developers.tiktok.com/doc/content-posting-api-reference-direct-post"),
        # told by the app, not by the API's documentation
        hashtags=5,
        hashtags_source="https://www.websitebuilderexpert.com/news/tiktok-hashtag-limit",
    ),
    "instagram": Platform(
        title=_NO_TITLE,
        description=Limit(
            2_200, utf16, "https://developers.facebook.com/docs/instagram-platform/reference/instagram-media"
        ),
        # 30 until December 2025
        hashtags=5,
        hashtags_source="https://www.socialmediatoday.com/news/instagrams-implementing-new-limits-on-hashtag-use/808309/",
    ),
    "facebook": Platform(
        title=_NO_TITLE,
        # Meta documents none; this is what the service refuses
        description=Limit(63_206, utf16, "https://typecount.com/tools/facebook-character-counter"),
        hashtags=30,
        hashtags_source="none: ours",
    ),
    "linkedin": Platform(
        # the first Share API's `content.title`; its successors name none
        title=Limit(200, utf16, "https://learn.microsoft.com/linkedin/marketing/community-management/shares/share-api"),
        description=Limit(3_000, utf16, "https://www.ayrshare.com/docs/apis/post/social-networks/linkedin"),
        hashtags=30,
        hashtags_source="none: ours",
    ),
    "x": Platform(
        title=_NO_TITLE,
        description=Limit(280, weighted, "https://docs.x.com/resources/fundamentals/counting-characters"),
        hashtags=10,
        hashtags_source="none: ours, they count among the 280",
    ),
    "podcast": Platform(
        # Apple's old specification: "tag values are limited to 255 characters"; the current one names no other
        title=Limit(255, utf16, "https://podcasters.apple.com/support/823-podcast-requirements"),
        # "The maximum amount of text allowed for this tag is 4000 bytes"
        description=Limit(4_000, utf8, "https://help.apple.com/itc/podcasts_connect/#/itcb54353390"),
        hashtags=10,
        hashtags_source="none: ours",
        chapters=True,
    ),
}


def tags_size(tags: list[str], size: Callable[[str], int]) -> int:
    """All tags as YouTube counts them: commas between, two quotation marks around a tag with a space."""
    quoted = sum(2 for tag in tags if " " in tag)
    return sum(size(tag) for tag in tags) + quoted + max(0, len(tags) - 1)
