"""Which images a stack runs: base images by name, our own by the content of their build context."""

import hashlib
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra.bundle import SERVICES
from aiinfra.errors import AiinfraError, Code
from aiinfra.naming import FILE_NAME
from aiinfra.stack import LITELLM, MPC_API

if TYPE_CHECKING:
    from aiinfra.settings import Build, Proxies

_BASE_ARGUMENT = re.compile(r"^ARG (\w+)=(\S+)$", re.MULTILINE)
_VERSIONS = {
    LITELLM: ("requirements.txt", re.compile(r"^litellm(?:\[\w+\])?==([\w.]+)", re.MULTILINE)),
    MPC_API: ("mpc_api/__init__.py", re.compile(r'^__version__ = "([\w.]+)"', re.MULTILINE)),
}
_OUTSIDE = {"tests", "__pycache__"}


@dataclass(frozen=True)
class ImageBuild:
    """One of our images: `docker build` of `context` under `tag`.

    `arguments` name the base images, and `bases` are the images that must be there before the build.
    """

    service: str
    context: Path
    tag: str
    arguments: Mapping[str, str]

    @property
    def version(self) -> str:
        """The version of what the image is for, as it stands in the build context."""
        name, pattern = _VERSIONS[self.service]
        found = pattern.search((self.context / name).read_text(encoding="utf-8"))
        return found[1] if found else ""

    @property
    def bases(self) -> tuple[str, ...]:
        return tuple(self.arguments.values())


def image_build(service: str, build: "Build") -> ImageBuild:
    """Return the build of a service's image; its tag changes with anything that can change the image."""
    context = SERVICES / service
    declared = _BASE_ARGUMENT.findall((context / "Dockerfile").read_text(encoding="utf-8"))
    arguments = {name: build.base_images.get(image, image) for name, image in declared}
    digest = hashlib.sha256(repr(sorted(arguments.items())).encode())
    digest.update(context_digest(context).encode())
    return ImageBuild(service, context, f"aiinfra-{service}:{digest.hexdigest()[:12]}", arguments)


@cache
def context_digest(context: Path) -> str:
    """Return the SHA-256 of a build context: names, contents and execute bits, without caches and tests."""
    digest = hashlib.sha256()
    for path in context_files(context):
        executable = path.stat().st_mode & 0o100
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(context).as_posix()}\0{executable}\0{content}\n".encode())
    return digest.hexdigest()


def context_files(context: Path) -> Iterator[Path]:
    """Yield the files that a build sees, without caches and tests."""
    found = []
    for folder, below, names in os.walk(context):
        # A checkout has a virtual environment here, of many thousand files.
        below[:] = [name for name in below if not name.startswith(".") and name not in _OUTSIDE]
        seen = [
            name for name in names if name not in _OUTSIDE and (not name.startswith(".") or name == ".dockerignore")
        ]
        found += [Path(folder, name) for name in seen]
    yield from (path for path in sorted(found) if path.is_file())


def build_secrets(build: "Build", directory: Path) -> dict[str, bytes]:
    """Return what a build behind a company proxy is handed, by secret id; absent from the finished image.

    `pip_conf` is mounted as /etc/pip.conf, `ca_bundle` is a PEM file, `environment` a piece of shell that exports
    the proxy variables and unsets what a base image may preset in the way of pip.conf.
    They may hold credentials, so they travel as files, never as arguments.
    Raises AiinfraError (SETTINGS_INVALID) when the CA bundle cannot be read.
    """
    found: dict[str, bytes] = {}
    options, shell = [], []
    if build.package_index:
        options.append(f"index-url = {build.package_index}")
        shell.append("unset PIP_INDEX_URL")
    if build.ca_bundle:
        options.append("cert = /run/secrets/ca_bundle")
        # requests prefers its variables to what pip tells it (psf/requests#3829).
        shell.append("unset PIP_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE")
        found["ca_bundle"] = _ca_bundle(directory / build.ca_bundle)
    if options:
        found["pip_conf"] = "\n".join(("[global]", *options, "")).encode()
    shell += _exports(build.proxies)
    if shell:
        found["environment"] = "\n".join((*shell, "")).encode()
    return found


def _exports(proxies: "Proxies") -> Iterator[str]:
    """Both spellings, because some programs know only one, and others prefer the lower-case one."""
    values = {"http_proxy": proxies.http, "https_proxy": proxies.https, "no_proxy": proxies.no_proxy}
    for name, value in values.items():
        if value:
            yield f"export {name}={shlex.quote(value)} {name.upper()}={shlex.quote(value)}"


def _ca_bundle(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _bad_bundle(path, error.strerror or "unreadable") from error
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise _bad_bundle(path, "it holds no PEM certificate")
    return content


def _bad_bundle(path: Path, reason: str) -> AiinfraError:
    return AiinfraError(
        Code.SETTINGS_INVALID,
        f"{FILE_NAME}: build.ca_bundle: {path}: {reason}",
        hint="name a PEM file, relative to the stack directory; nothing was touched",
    )
