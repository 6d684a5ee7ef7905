"""What is asked for by every command that looks: straight from the engine's socket, else through docker commands."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from aiinfra.engine import direct
from aiinfra.engine.command import TIMEOUT, hung, look
from aiinfra.engine.container import Container, container

_PROJECT = "com.docker.compose.project"


def containers(project: str, *, told: bool) -> list[Container]:
    """Return all containers of a Compose project, stopped ones too; with `told`, through docker commands."""
    label = f"{_PROJECT}={project}"
    found = None if told else _directly(direct.containers, label)
    return [container(item) for item in (_inspected(label) if found is None else found)]


def one(identity: str, *, told: bool) -> Container | None:
    """Return a container by its id; None when it is gone."""
    found = None if told else _directly(direct.container, identity)
    if found is None:
        text = look("inspect", "--type", "container", identity, tolerate="No such container")
        found = json.loads(text or "[]")
    return container(found[0]) if found else None


def image_ids(names: Sequence[str], *, told: bool) -> dict[str, str]:
    """Return the ids of images by name; "" for one that is not here. With `told`, through docker commands."""
    known = None if told else _directly(direct.images, names)
    found = _image_ids(names) if known is None else [one["Id"] for one in known]
    if len(found) == len(names):
        return dict(zip(names, found, strict=True))
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - seldom

    # What is missing leaves no gap: which one it was is asked one by one.
    with ThreadPoolExecutor() as pool:
        return dict(zip(names, pool.map(lambda name: "".join(_image_ids([name])), names), strict=True))


def _directly(ask: Callable[..., list[Any] | None], what: object) -> list[Any] | None:
    try:
        return ask(what, timeout=TIMEOUT)
    except TimeoutError as error:
        raise hung(TIMEOUT) from error


def _inspected(label: str) -> list[Any]:
    ids = look("ps", "-aq", "--no-trunc", "--filter", f"label={label}").split()
    text = look("inspect", "--type", "container", *ids, tolerate="No such container") if ids else ""
    found: list[Any] = json.loads(text or "[]")
    return found


def _image_ids(names: Sequence[str]) -> list[str]:
    return look("image", "inspect", "--format", "{{.Id}}", *names, tolerate="No such image").split()
