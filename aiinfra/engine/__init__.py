"""The adapter to Docker; nothing else talks to it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiinfra.engine.client import Compose, Engine
    from aiinfra.engine.container import Container, Exit, Stats, Volume
    from aiinfra.engine.estate import CacheRecord, Estate, Image, Network, Sizes
    from aiinfra.engine.following import Follower, Line, Notice
    from aiinfra.engine.logs import in_order, open_log, stamped
    from aiinfra.engine.redis_data import RedisData, copy_out
    from aiinfra.engine.scratch import abandon, ask, judge, resolves
    from aiinfra.engine.telling import tell_commands
    from aiinfra.engine.versions import Versions, refuse_old

# A command that only looks needs two of these modules.
_MODULES = {
    "client": ("Compose", "Engine"),
    "container": ("Container", "Exit", "Stats", "Volume"),
    "estate": ("CacheRecord", "Estate", "Image", "Network", "Sizes"),
    "following": ("Follower", "Line", "Notice"),
    "logs": ("in_order", "open_log", "stamped"),
    "redis_data": ("RedisData", "copy_out"),
    "scratch": ("abandon", "ask", "judge", "resolves"),
    "telling": ("tell_commands",),
    "versions": ("Versions", "refuse_old"),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"aiinfra.engine.{module}"), name)
    raise AttributeError(name)


__all__ = [
    "CacheRecord",
    "Compose",
    "Container",
    "Engine",
    "Estate",
    "Exit",
    "Follower",
    "Image",
    "Line",
    "Network",
    "Notice",
    "RedisData",
    "Sizes",
    "Stats",
    "Versions",
    "Volume",
    "abandon",
    "ask",
    "copy_out",
    "in_order",
    "judge",
    "open_log",
    "refuse_old",
    "resolves",
    "stamped",
    "tell_commands",
]
