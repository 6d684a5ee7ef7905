"""The engine's own socket, for what is looked at again and again: a docker command takes fifteen times as long.

Only where `docker` would use that very socket, and only while all is well: contexts, other hosts and every fault are
left to the docker command, which knows the ways and the words.
"""

import json
import os
import shutil
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

_DEFAULT = "/var/run/docker.sock"
_UNIX = "unix://"


def containers(project_label: str, *, timeout: float) -> list[Any] | None:
    """Return what the engine knows of all containers with a label; None where `docker` must be asked."""
    filters = quote(json.dumps({"label": [project_label]}))
    found = _get(f"/containers/json?all=1&filters={filters}", timeout)
    return None if found is None else _each((f"/containers/{one['Id']}/json" for one in found), timeout)


def container(identity: str, *, timeout: float) -> list[Any] | None:
    """Return what the engine knows of a container, as a list of one; None where `docker` must be asked."""
    return _each((f"/containers/{identity}/json",), timeout)


def images(names: Iterable[str], *, timeout: float) -> list[Any] | None:
    """Return what the engine knows of images, in this order; None where `docker` must be asked."""
    return _each((f"/images/{quote(name)}/json" for name in names), timeout)


def _each(paths: Iterable[str], timeout: float) -> list[Any] | None:
    found = []
    for path in paths:
        one = _get(path, timeout)
        if one is None:
            return None
        found.append(one)
    return found


def _get(path: str, timeout: float) -> Any:  # noqa: ANN401 - JSON
    """Return the answer of the engine; None when it is anything else than a whole 200. Raises TimeoutError."""
    address = address_in(os.environ)
    if address is None:
        return None
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(address)
            # HTTP/1.0: one answer in one piece, then the end.
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
            with connection.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
        return json.loads(body) if head.split(b" ", 2)[1] == b"200" else None
    except TimeoutError:
        raise
    except (OSError, ValueError, IndexError):
        return None


def address_in(environment: Mapping[str, str]) -> str | None:
    """Return the path of the socket that `docker` would use; None where that is not plain to see."""
    # Without the docker command nothing else works either: that is the thing to say.
    if shutil.which("docker", path=environment.get("PATH")) is None:
        return None
    if host := environment.get("DOCKER_HOST"):
        return host.removeprefix(_UNIX) if host.startswith(_UNIX) else None
    context = environment.get("DOCKER_CONTEXT") or _current_context(environment)
    return _DEFAULT if context in ("", "default") else None


def _current_context(environment: Mapping[str, str]) -> str:
    folder = environment.get("DOCKER_CONFIG") or str(Path(environment.get("HOME", "/"), ".docker"))
    try:
        return str(json.loads(Path(folder, "config.json").read_text(encoding="utf-8")).get("currentContext", ""))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, AttributeError):
        return "unreadable"
