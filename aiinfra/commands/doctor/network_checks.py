"""What containers and builds reach: names, and the registries that images come from."""

import re
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from aiinfra import images, rendering
from aiinfra.commands.doctor.finding import Finding, Level, Scene
from aiinfra.engine import resolves
from aiinfra.naming import DIRECTORY_LABEL, STACK_LABEL
from aiinfra.settings import Build
from aiinfra.stack import BUILT

_SECONDS = 5.0


def names(scene: Scene) -> Iterator[Finding]:
    """A name, asked for in a container: Docker's own resolver stands between."""
    scene.versions  # noqa: B018 - no engine, no containers
    target = scene.target
    image = rendering.redis_image(target.settings.build)
    if not scene.engine.image_id(image):
        yield Finding("names", "note", f"not looked at: the image {image} is not here yet", "`aiinfra up` gets it")
        return
    host = urlsplit(target.settings.build.package_index or _hub(scene)).hostname or ""
    labels = {STACK_LABEL: target.name, DIRECTORY_LABEL: str(target.directory)}
    if complaint := resolves(image, host, labels):
        fix = "set `dns` in Docker's daemon.json to a server that containers reach; providers cannot be called without"
        yield Finding("names", "warning", f"a container cannot resolve {host}: {complaint}", fix)
    else:
        yield Finding("names", "ok", f"containers resolve names ({host})")


def registries(scene: Scene) -> Iterator[Finding]:
    """Where base images and Python packages come from. Matters when an image has to be made."""
    scene.versions  # noqa: B018 - no engine, no images
    build = scene.target.settings.build
    absent = _absent(scene, build)
    level: Level = "warning" if absent else "note"
    if build.proxies.https or build.proxies.http:
        yield Finding("registries", "note", "not looked at: builds go through the proxies of aiinfra.yaml")
        return
    hosts = {_registry(image, scene): "the image registry" for image in rendering.base_images(build)}
    if build.package_index:
        found = urlsplit(build.package_index)
        hosts[found.hostname or "", found.port or (443 if found.scheme == "https" else 80)] = "the package index"
    for (host, port), what in hosts.items():
        if reason := _unreachable(host, port, encrypted=port != 80):  # noqa: PLR2004 - HTTP
            why = f"needed for {', '.join(absent)}" if absent else "not needed now: all images are here"
            fix = (
                "behind a company network set `build:` in aiinfra.yaml: package_index, ca_bundle, proxies, base_images"
            )
            yield Finding("registries", level, f"{what} {host}:{port} is not reached ({reason}); {why}", fix)
        else:
            yield Finding("registries", "ok", f"{what} {host}:{port} answers")


def _absent(scene: Scene, build: Build) -> list[str]:
    wanted = [*rendering.base_images(build), *(images.image_build(one, build).tag for one in BUILT)]
    return [name for name, found in scene.engine.image_ids(wanted).items() if not found]


def _hub(scene: Scene) -> str:
    """Return the address of the registry that the engine means by a name without one."""
    return str(scene.info.get("IndexServerAddress") or "")


def _registry(image: str, scene: Scene) -> tuple[str, int]:
    """Return host and port of the registry that an image name means (docker/distribution, reference)."""
    first, slash, _ = image.partition("/")
    if not slash or not re.search(r"[.:]|^localhost$", first):
        return urlsplit(_hub(scene)).hostname or "", 443
    host, _, port = first.partition(":")
    return host, int(port or 443)


def _unreachable(host: str, port: int, *, encrypted: bool) -> str:
    try:
        with socket.create_connection((host, port), _SECONDS) as plain:
            if encrypted:
                # Whether it is trusted, the build decides, by its own authorities.
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                plain.settimeout(_SECONDS)
                with context.wrap_socket(plain, server_hostname=host):
                    pass
    except OSError as error:
        return str(error.strerror or error)
    return ""
