"""One container beside those that run, and one container less: what a swap asks of Docker."""

from typing import TYPE_CHECKING

from aiinfra.engine import looks
from aiinfra.engine.command import run
from aiinfra.engine.container import Container
from aiinfra.engine.watch import CHANGE, translated

if TYPE_CHECKING:
    from aiinfra.engine.client import Compose

# Seconds beyond its grace that the engine gets to end a container.
_STOPPING = 60.0


class Rollout:
    """Leaves every container alone that it is not asked about, whatever its settings say meanwhile."""

    def __init__(self, *, told: bool) -> None:
        self._told = told

    def create_beside(self, compose: "Compose", service: str, *, total: int) -> None:
        """Create containers of a service until there are `total`; starts nothing."""
        with translated(limit=CHANGE):
            compose.client.compose.up(
                [service],
                scales={service: total},
                start=False,
                recreate=False,
                dependencies=False,
                no_build=True,
                pull="never",
                quiet=True,
            )

    def look_at(self, identity: str) -> Container | None:
        """Return a container by its id; None when it is gone."""
        return looks.one(identity, told=self._told)

    def stop(self, one: Container, *, seconds: int) -> None:
        """Stop a container; what has not ended after `seconds` is cut. Raises DOCKER_STOPPED when the engine hangs."""
        with translated(limit=seconds + _STOPPING):
            run(["docker", "stop", "-t", str(seconds), one.id], timeout=None)
