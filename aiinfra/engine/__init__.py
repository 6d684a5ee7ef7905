"""The adapter to Docker; nothing else talks to it."""

from aiinfra.engine.client import Compose, Engine
from aiinfra.engine.container import Container, Exit, Volume
from aiinfra.engine.versions import Versions, refuse_old

__all__ = ["Compose", "Container", "Engine", "Exit", "Versions", "Volume", "refuse_old"]
