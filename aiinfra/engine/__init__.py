"""The adapter to Docker; nothing else talks to it."""

from aiinfra.engine.client import Compose, Engine
from aiinfra.engine.command import hung
from aiinfra.engine.container import Container, Exit, Stats, Volume
from aiinfra.engine.estate import CacheRecord, Estate, Image, Network, Sizes
from aiinfra.engine.following import Follower, Line, Notice
from aiinfra.engine.logs import open_log, stamped
from aiinfra.engine.redis_data import RedisData, copy_out
from aiinfra.engine.scratch import ask, judge, resolves
from aiinfra.engine.telling import tell_commands
from aiinfra.engine.versions import Versions, refuse_old

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
    "ask",
    "copy_out",
    "hung",
    "judge",
    "open_log",
    "refuse_old",
    "resolves",
    "stamped",
    "tell_commands",
]
