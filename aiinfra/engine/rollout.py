"""One container beside those that run, and one container less: what a swap asks of Docker."""

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from aiinfra.engine.command import look, run
from aiinfra.engine.container import Container, container
from aiinfra.engine.watch import CHANGE, translated

if TYPE_CHECKING:
    from aiinfra.engine.client import Compose

# Seconds beyond its grace that the engine gets to end a container.
_STOPPING = 60.0


class Rollout:
    """Leaves every container alone that it is not asked about, whatever its settings say meanwhile."""

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
        found = json.loads(look("inspect", "--type", "container", identity, tolerate="No such container") or "[]")
        return container(found[0]) if found else None

    def stop(self, one: Container, *, seconds: int) -> None:
        """Stop a container; what has not ended after `seconds` is cut. Raises DOCKER_STOPPED when the engine hangs."""
        with translated(limit=seconds + _STOPPING):
            run(["docker", "stop", "-t", str(seconds), one.id], timeout=None)

    def weigh(self, one: Container, shares: int) -> None:
        """Say how much of a busy machine's processors a container gets, in relation to 1024 of every other one.

        An engine that cannot (one without cgroup delegation) changes nothing.
        """
        with suppress(TimeoutError):
            run(["docker", "update", "--cpu-shares", str(shares), one.id])
