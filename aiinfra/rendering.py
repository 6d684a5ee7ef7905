"""Stack -> rendered files: text, hashes and labels; touches no disk but our own templates."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiinfra import edge_config, keys
from aiinfra.bundle import TEMPLATES, templates
from aiinfra.keys import OwnKey
from aiinfra.naming import CONTENT_LABEL, DEFAULT_STACK, DIRECTORY_LABEL, STACK_LABEL
from aiinfra.stack import EDGE, KEEPER, LITELLM, MPC_API, OUTSIDE, REDIS, SERVICES, Stack, keeper_password

if TYPE_CHECKING:
    from aiinfra.providers import ProviderConfig
    from aiinfra.settings import Build, MpcApi

_BASE_IMAGE = re.compile(r'base_image\("([^"]+)"\)')


@dataclass(frozen=True)
class RenderedFile:
    """One file below the stack's own directory.

    `secret` ones are 0400 and belong to the container's user. `live` ones say how a stack begins, and follow what
    runs from then on.
    """

    path: str
    text: str
    secret: bool = False
    live: bool = False


@dataclass(frozen=True)
class Rendered:
    """Everything that a stack needs on disk, and the content hash of each service."""

    files: tuple[RenderedFile, ...]
    hashes: Mapping[str, str]

    @property
    def compose(self) -> str:
        return next(file.text for file in self.files if file.path == "compose.yaml")


def render(
    stack: Stack,
    values: Mapping[str, str],
    provider: "ProviderConfig",
    *,
    images: Mapping[str, str],
    root: Path,
    user: str,
) -> Rendered:
    """Return every file of a stack.

    `values` are the variables of .env, `images` the tags of our own images by service, `root` the directory
    that the files will be in, `user` the "uid:gid" that our own images run as.

    A mounted directory is named after its content, because Compose recreates nothing when the content of a
    mounted file changes (docker/compose#11900): a new content is a new path.
    """
    folders = _folders(stack, values, provider)
    named = {name: f"{name}-{digest(stack, content)}" for name, content in folders.items()}
    named[EDGE] = edge_config.FOLDER
    template = partial(
        templates().get_template("compose/compose.yaml.j2").render,
        quote=_yaml_value,
        stack=stack,
        services=stack.settings.services,
        images=images,
        base_image=lambda image: stack.settings.build.base_images.get(image, image),
        mounts={name: str(root / folder) for name, folder in named.items()},
        environment=_environment_variables(stack, provider),
        user=user,
        ports=_ports(stack),
        master_port=edge_config.MASTER_PORT,
        http_probe=_http_probe,
        stack_labels=labels(stack),
    )
    import yaml  # noqa: PLC0415 - not for commands that only look

    unlabelled = yaml.load(template(labels={name: {} for name in SERVICES}), yaml.CSafeLoader)
    # One replica more or less is no reason to replace the others.
    hashes = {name: digest(stack, _without_scale(unlabelled["services"][name])) for name in SERVICES}
    labelled = {name: labels(stack) | {CONTENT_LABEL: hashes[name]} for name in SERVICES}
    files = [
        RenderedFile(f"{named[name]}/{file}", text, secret=name.endswith("-secrets"))
        for name, content in folders.items()
        for file, text in content.items()
    ]
    files += beginning_edge(stack)
    return Rendered((*files, RenderedFile("compose.yaml", template(labels=labelled))), hashes)


def beginning_edge(stack: Stack) -> list[RenderedFile]:
    """Return the edge's files as they are before anything runs; from then on they follow what does."""
    files = edge_config.edge_files(stack, edge_config.first(stack))
    return [
        RenderedFile(f"{edge_config.FOLDER}/{name}", text, secret=name == edge_config.PEM, live=True)
        for name, text in files.items()
    ]


def base_images(build: "Build") -> tuple[str, ...]:
    """Return the images that the compose template runs as they are, after the settings' replacements."""
    return tuple(build.base_images.get(image, image) for image in _named_images())


def redis_image(build: "Build") -> str:
    """Return the image that Redis runs, after the settings' replacements."""
    return next(build.base_images.get(image, image) for image in _named_images() if image.startswith("redis:"))


def _named_images() -> list[str]:
    return _BASE_IMAGE.findall((TEMPLATES / "compose" / "compose.yaml.j2").read_text(encoding="utf-8"))


def env_file(stack: str, generated: Mapping[str, str], callers: Iterable[OwnKey] = ()) -> str:
    """Return the text of a new .env; `callers` are the keys that aiinfra.yaml names."""
    known = (*keys.OWN_KEYS, *callers)
    own = [{"name": key.name, "meaning": key.meaning, "value": generated[key.name]} for key in known]
    return templates().get_template("env/env.j2").render(own_keys=own, is_default=stack == DEFAULT_STACK)


def settings_file() -> str:
    """Return the text of a new aiinfra.yaml: every key, with its default, commented out."""
    return (TEMPLATES / "settings" / "aiinfra.yaml").read_text(encoding="utf-8")


def _yaml_value(value: object) -> str:
    # JSON is YAML; Compose would expand a single "$".
    return json.dumps(value, ensure_ascii=False).replace("$", "$$")


def _folders(stack: Stack, values: Mapping[str, str], provider: "ProviderConfig") -> dict[str, dict[str, str]]:
    before = keys.previous(values)
    passwords = [values["REDIS_PASSWORD"], *([before["REDIS_PASSWORD"]] if "REDIS_PASSWORD" in before else [])]
    return {
        REDIS: {
            "redis.conf": templates()
            .get_template("redis/redis.conf.j2")
            .render(maxmemory=_three_quarters(stack.settings.services.redis.memory)),
            # Redis is given the hash only: nothing secret is in its container.
            "users.acl": templates()
            .get_template("redis/users.acl.j2")
            .render(
                password_digests=[hashlib.sha256(one.encode()).hexdigest() for one in passwords],
                keeper=KEEPER,
                keeper_sha256=hashlib.sha256(keeper_password(stack.identity).encode()).hexdigest(),
            ),
        },
        LITELLM: {"config.yaml": provider.text},
        "litellm-secrets": _accepted("LITELLM_MASTER_KEY", values) | provider.secrets(values),
        "mpc-api-secrets": _mpc_api_secrets(stack.settings.services.mpc_api, values),
    }


def _mpc_api_secrets(api: "MpcApi", values: Mapping[str, str]) -> dict[str, str]:
    names = ["LITELLM_MASTER_KEY", "REDIS_PASSWORD", *(key.variable for key in api.keys)]
    return _accepted("MPC_API_KEY", values) | {name: values[name] for name in names}


def _accepted(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return a key, and the one before it while both are accepted."""
    return {one: values[one] for one in (name, name + keys.PREVIOUS) if values.get(one)}


def _three_quarters(memory: str) -> str:
    unit = {"m": 1024**2, "g": 1024**3}[memory[-1]]
    return str(int(memory[:-1]) * unit * 3 // 4)


def _environment_variables(stack: Stack, provider: "ProviderConfig") -> dict[str, dict[str, str]]:
    redis = {"REDIS_HOST": "redis", "REDIS_PORT": "6379"}
    return {
        # Their mere presence switches LiteLLM's shared router state on.
        LITELLM: {name: value for name, value in redis.items() if name in provider.variables},
        MPC_API: _mpc_api_variables(stack.settings.services.mpc_api),
    }


def _mpc_api_variables(api: "MpcApi") -> dict[str, str]:
    always = {
        "LITELLM_URL": "http://edge:4000",
        "REDIS_URL": "redis://redis:6379/0",
        "LOG_LEVEL": api.log_level,
        "MPC_REQUEST_TIMEOUT": str(api.request_timeout),
        "MPC_CACHE_SECONDS": str(api.cache_seconds),
    }
    optional = {
        "MPC_REQUESTS_PER_MINUTE": str(api.requests_per_minute or ""),
        "MPC_TOKENS_PER_MINUTE": str(api.tokens_per_minute or ""),
        "MPC_CORS_ORIGINS": ",".join(api.cors_origins),
        "MPC_KEYS": json.dumps([key.model_dump(exclude_none=True) for key in api.keys]) if api.keys else "",
    }
    return always | {name: value for name, value in optional.items() if value}


def _ports(stack: Stack) -> list[dict[str, Any]]:
    return [
        {
            "target": target,
            "published": str(stack.endpoint(service).port),
            "host_ip": stack.endpoint(service).address,
            "protocol": "tcp",
        }
        for service, target in OUTSIDE.items()
    ]


def _http_probe(port: int, path: str) -> str:
    # In bash: a Python every half second takes a tenth of the processor that a boot needs.
    return (
        f"exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3 && "
        "read -rt 9 _ status _ <&3 || exit 1; while read -rt 9 line <&3 && [[ $line != $'\\r' ]]; do :; done; "
        'echo "$status $(timeout 9 head -c 300 <&3)"; [[ $status == 200 ]]'
    )


def labels(stack: Stack) -> dict[str, str]:
    """Return what marks a thing of Docker's as a stack's own."""
    return {STACK_LABEL: stack.name, DIRECTORY_LABEL: str(stack.directory)}


def _without_scale(service: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in service.items() if key != "scale"}


def digest(stack: Stack, content: object) -> str:
    """Return a short hash of content, keyed with the stack's own secret."""
    # Keyed: a hash of a weak secret, in a label or a path, must not be a way to guess it.
    text = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.blake2b(text, key=stack.identity.digest_key, digest_size=6).hexdigest()
