"""Rendered files -> files that plain Docker Compose runs where they lie, without this tool."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from aiinfra.images import ImageBuild
from aiinfra.naming import LABEL
from aiinfra.rendering import Rendered, RenderedFile

_CONTENT_NAMED = re.compile(r"-[0-9a-f]{12}$")
SECRETS = "build-secrets"

README = """\
# {stack}

Made by `aiinfra eject`. Everything that the stack needs is here, its secrets too: keep this directory private.

    docker compose up --wait     # builds the images at first
    docker compose down          # keeps the data

- gateway (LiteLLM): {litellm}, key in litellm-secrets/LITELLM_MASTER_KEY
- content API (MPC-API): {mpc_api}, key in mpc-api-secrets/MPC_API_KEY

Containers run as the user `{user}`, who owns the folders that end in `-secrets`: copy them with their owner
(`cp -a`, `tar -p`). From here on `aiinfra` has no part in it: without the edge's replacements, a change interrupts
what runs.
"""


def ejected(
    rendered: Rendered, builds: Mapping[str, ImageBuild], secrets: Mapping[str, bytes]
) -> tuple[RenderedFile, ...]:
    """Return the compose file and the configs, by path below the new directory.

    `builds` are those of our images by service; their contexts go to `services/NAME`. `secrets` are those of builds.
    """
    files = [
        RenderedFile(_plain(file.path), file.text, secret=file.secret)
        for file in rendered.files
        if file.path != "compose.yaml"
    ]
    files += [RenderedFile(f"{SECRETS}/{name}", value.decode()) for name, value in secrets.items()]
    compose = yaml.load(rendered.compose, yaml.CSafeLoader)
    stack = compose["name"]
    services = {
        name: _service(stack, name, service, builds.get(name), secrets) for name, service in compose["services"].items()
    }
    whole: dict[str, Any] = {
        "name": stack,
        "services": services,
        "networks": {name: _unlabelled(one) for name, one in compose["networks"].items()},
        "volumes": {name: {"name": one["name"]} for name, one in compose["volumes"].items()},
    }
    if secrets:
        whole["secrets"] = {name: {"file": f"./{SECRETS}/{name}"} for name in secrets}
    text = "# Made by `aiinfra eject`; it is yours to change.\n" + yaml.safe_dump(
        whole, sort_keys=False, allow_unicode=True, width=120
    )
    return (*files, RenderedFile("compose.yaml", text))


def _service(
    stack: str, name: str, service: Mapping[str, Any], build: ImageBuild | None, secrets: Mapping[str, bytes]
) -> dict[str, Any]:
    found = {key: value for key, value in _unlabelled(service).items() if key != "pull_policy"}
    if build is not None:
        found["image"] = f"{stack}-{name}:ejected"
        found["build"] = {"context": f"./services/{name}", "args": dict(build.arguments)}
        if secrets:
            found["build"]["secrets"] = list(secrets)
    found["volumes"] = [
        {**one, "source": f"./{_plain(one['source'].rsplit('/', 1)[-1])}"} if one["type"] == "bind" else one
        for one in service.get("volumes", ())
    ]
    return found


def _unlabelled(thing: Mapping[str, Any]) -> dict[str, Any]:
    labels = {key: value for key, value in (thing.get("labels") or {}).items() if not key.startswith(LABEL)}
    rest = {key: value for key, value in thing.items() if key != "labels"}
    return rest | ({"labels": labels} if labels else {})


def _plain(path: str) -> str:
    """Return a path without the hash of its folder's content."""
    folder, slash, rest = path.partition("/")
    return _CONTENT_NAMED.sub("", folder) + slash + rest
