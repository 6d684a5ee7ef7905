"""What should run against what runs: what would change, and why."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from aiinfra.rendering import CONTENT_LABEL
from aiinfra.stack import SERVICES

R = TypeVar("R", bound="Running")
Action = Literal["unchanged", "start", "create", "recreate"]


class Running(Protocol):
    """What a plan needs to know of a container."""

    @property
    def name(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def image(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Change:
    """What happens to a service, and why. `forced`: its content is as it was, and it is replaced all the same."""

    service: str
    action: Action
    reason: str = ""
    forced: bool = False


def changes(
    hashes: Mapping[str, str],
    images: Mapping[str, str],
    containers: Sequence[Running],
    *,
    forced: Mapping[str, str] | None = None,
) -> tuple[Change, ...]:
    """Return one Change per service, in order of dependency.

    `hashes` and `images` are the desired content hash and image by service (an image that is not listed is
    not compared by name). `forced` are services to replace although nothing changed, each with the reason.
    """
    found = {container.service: container for container in containers}
    planned = [_change(name, hashes[name], images.get(name), found.get(name)) for name in SERVICES]
    return tuple(_forced(change, (forced or {}).get(change.service)) for change in planned)


def _forced(change: Change, reason: str | None) -> Change:
    if reason is None or change.action in ("create", "recreate"):
        return change
    return Change(change.service, "recreate", reason, forced=True)


def _change(service: str, wanted: str, image: str | None, container: Running | None) -> Change:
    if container is None:
        return Change(service, "create", "it was not there")
    if container.labels.get(CONTENT_LABEL) != wanted:
        changed = "its image" if image and container.image != image else "its configuration"
        return Change(service, "recreate", f"{changed} changed")
    if container.state == "running":
        return Change(service, "unchanged")
    if container.state in ("created", "exited"):
        return Change(service, "start", "it was stopped")
    return Change(service, "recreate", f"it was {container.state}")


def stuck(containers: Sequence[R]) -> list[R]:
    """Return what Compose would leave as it is and can neither be started: paused, dead, crash-looping."""
    return [one for one in containers if one.state not in ("running", "created", "exited")]


def leftovers(containers: Sequence[R]) -> list[R]:
    """Return what an interrupted Compose left behind: twins, and containers under a temporary name."""
    dead = [container for container in containers if container.state != "running"]
    return [
        container
        for container in dead
        if _TEMPORARY_NAME.match(container.name)
        or any(other.service == container.service for other in containers if other is not container)
    ]


# Compose creates a replacement as OLDID_NAME and renames it last (docker/compose, convergence.go).
_TEMPORARY_NAME = re.compile(r"[0-9a-f]{12}_")
