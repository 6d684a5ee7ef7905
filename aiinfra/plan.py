"""What should run against what runs: what would change, and why."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from aiinfra.naming import CONTENT_LABEL
from aiinfra.stack import EDGE, NEEDS, SERVICES

R = TypeVar("R", bound="Running")
Action = Literal["unchanged", "start", "create", "scale", "reload", "recreate"]


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
    def image_id(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Desired:
    """What should run, by service: content hash, image, the id of that image ("" where it is not here), replicas."""

    hashes: Mapping[str, str]
    images: Mapping[str, str] = field(default_factory=dict)
    image_ids: Mapping[str, str] = field(default_factory=dict)
    replicas: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """What happens to a service, and why. `forced`: its content is as it was, and it is replaced all the same."""

    service: str
    action: Action
    reason: str = ""
    forced: bool = False


def changes(
    desired: Desired, containers: Sequence[Running], *, forced: Mapping[str, str] | None = None
) -> tuple[Change, ...]:
    """Return one Change per service, in order of dependency.

    `forced` are services to replace although nothing changed, each with the reason.
    """
    found: dict[str, list[Running]] = {name: [] for name in SERVICES}
    for container in containers:
        found.get(container.service, []).append(container)
    planned = [_change(name, desired, found[name]) for name in SERVICES]
    return tuple(_forced(change, (forced or {}).get(change.service)) for change in planned)


def limited(planned: Sequence[Change], named: Sequence[str]) -> tuple[Change, ...]:
    """Return the changes of the services that are named, and of those that they need and that do not run.

    What changed in another service is said, and left as it is. Nothing named means all.
    """
    if not named:
        return tuple(planned)
    needed = {need for name in named for need in NEEDS[name]}

    def within(change: Change) -> bool:
        return change.service in named or (change.service in needed and change.action in ("create", "start"))

    return tuple(change if within(change) else _left(change) for change in planned)


def _left(change: Change) -> Change:
    reason = "" if change.action == "unchanged" else f"left as it is, though {change.reason}"
    return Change(change.service, "unchanged", reason)


def _forced(change: Change, reason: str | None) -> Change:
    if reason is None or change.action in ("create", "recreate"):
        return change
    return Change(change.service, "recreate", reason, forced=True)


def _change(service: str, desired: Desired, containers: Sequence[Running]) -> Change:
    if not containers:
        return Change(service, "create", "it was not there")
    for container in containers:
        if change := _outdated(service, desired, container):
            return change
    wanted = desired.replicas.get(service, 1)
    if len(containers) != wanted:
        return Change(service, "scale", f"{wanted} wanted, {len(containers)} there")
    if any(one.state != "running" for one in containers):
        return Change(service, "start", "it was stopped")
    return Change(service, "unchanged")


def outdated(desired: Desired, containers: Sequence[R]) -> list[R]:
    """Return the containers that do not run what they should."""
    return [one for one in containers if one.service in desired.hashes and _outdated(one.service, desired, one)]


def _outdated(service: str, desired: Desired, container: Running) -> Change | None:
    if container.labels.get(CONTENT_LABEL) != desired.hashes[service]:
        image = desired.images.get(service)
        changed = "its image" if image and container.image != image else "its configuration"
        return Change(service, "recreate", f"{changed} changed")
    if reason := _other_image(service, desired, container):
        return Change(service, "recreate", reason, forced=True)
    if container.state not in ("running", "created", "exited"):
        return Change(service, "recreate", f"it was {container.state}")
    return None


def _other_image(service: str, desired: Desired, container: Running) -> str:
    """Say why a container of the right content does not run the image that its name means now."""
    # The edge owns the host ports: another image of the same name waits until the edge is replaced for a reason.
    wanted = desired.image_ids.get(service)
    if service == EDGE or wanted is None or wanted == container.image_id:
        return ""
    return "its image was built or pulled anew" if wanted else "its image is gone"


def stuck(containers: Sequence[R]) -> list[R]:
    """Return what Compose would leave as it is and can neither be started: paused, dead, crash-looping."""
    return [one for one in containers if one.state not in ("running", "created", "exited")]


def leftovers(containers: Sequence[R], replicas: Mapping[str, int] | None = None) -> list[R]:
    """Return what an interrupted Compose left behind: containers under a temporary name, dead ones too many."""
    unnamed = [one for one in containers if one.state != "running" and _TEMPORARY_NAME.match(one.name)]
    spare = []
    for service in {one.service for one in containers}:
        ours = [one for one in containers if one.service == service and one not in unnamed]
        dead = sorted((one for one in ours if one.state != "running"), key=lambda one: one.number)
        wanted = (replicas or {}).get(service, 1)
        spare += dead[max(0, wanted - (len(ours) - len(dead))) :]
    return [one for one in containers if one in unnamed or one in spare]


def settled(desired: Desired, containers: Sequence[Running]) -> bool:
    """Say whether exactly what should run does: there is nothing to do, whatever services are named."""
    return (
        all(change.action == "unchanged" for change in changes(desired, containers))
        and all(one.state == "running" for one in containers)
        and not leftovers(containers, desired.replicas)
    )


# Compose creates a replacement as OLDID_NAME and renames it last (docker/compose, convergence.go).
_TEMPORARY_NAME = re.compile(r"[0-9a-f]{12}_")
