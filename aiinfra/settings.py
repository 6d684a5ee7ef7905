"""aiinfra.yaml -> Settings: read, checked, refused with the line and the path of the key at fault."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from aiinfra import settings_faults
from aiinfra.errors import AiinfraError, Code
from aiinfra.models import Models
from aiinfra.naming import DEFAULT_STACK, FILE_NAME, STACK_NAME
from aiinfra.section import Section as _Section
from aiinfra.section import doc as _doc

_MEMORY = re.compile(r"[1-9][0-9]*[mg]")
_URL = re.compile(r"https?://([^\s/?#]*@)?([\w.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^\s@]*)?")


def _stack_name(value: str) -> str:
    if not STACK_NAME.fullmatch(value):
        raise ValueError("use at most 41 of a-z, 0-9, '-' and '_', beginning with a letter or digit")
    return value


def _at_least(megabytes: int) -> AfterValidator:
    def check(value: str) -> str:
        if not _MEMORY.fullmatch(value):
            raise ValueError("use a number and m or g, for example 768m")
        if int(value[:-1]) * {"m": 1, "g": 1024}[value[-1]] < megabytes:
            raise ValueError(f"the service needs at least {megabytes}m")
        return value

    return AfterValidator(check)


def _address(value: str) -> str:
    # Lazily: only a directory that has this setting pays for the import.
    import ipaddress  # noqa: PLC0415

    return str(ipaddress.ip_address(value))


def _url(value: str) -> str:
    # pip shows an address that it cannot read, with its password, and BuildKit keeps what pip shows.
    if not _URL.fullmatch(value):
        raise ValueError(
            "use http[s]://[USER:PASSWORD@]HOST[:PORT][/PATH], with %40, %2F, %3F and %23 for @, /, ? and #"
        )
    return value


StackName = Annotated[str, AfterValidator(_stack_name)]
Port = Annotated[int, Field(ge=1, le=65535)]
Address = Annotated[str, AfterValidator(_address)]
Url = Annotated[str, AfterValidator(_url)]
Grace = Annotated[int, Field(ge=1, le=3600)]
ImageName = Annotated[str, Field(pattern=r"^[a-z0-9][\w./:@-]*$")]


class Ports(_Section):
    litellm: Port | None = _doc(None, "host port of the gateway; 4000 for the default stack, else any free one")
    mpc_api: Port | None = _doc(None, "host port of MPC-API; 3000 for the default stack, else any free one", "mpc-api")
    address: Address = _doc("127.0.0.1", "host address that both ports bind to")

    @model_validator(mode="after")
    def _one_port_each(self) -> "Ports":
        if self.litellm is not None and self.litellm == self.mpc_api:
            raise ValueError(f"litellm and mpc-api cannot both have {self.litellm}")
        return self


class Redis(_Section):
    memory: Annotated[str, _at_least(32)] = _doc(
        "256m", "memory limit; Redis keeps its data below three quarters of it"
    )


Replicas = Annotated[int, Field(ge=1, le=8)]


class LiteLLM(_Section):
    replicas: Replicas = _doc(1, "how many gateways run side by side")
    memory: Annotated[str, _at_least(512)] = _doc("1g", "memory limit of one gateway")
    grace: Grace = _doc(300, "seconds that running requests get to end before a gateway is stopped")


PerMinute = Annotated[int, Field(ge=1, le=1_000_000_000)]
Scope = Literal["script", "thumbnail-prompt", "metadata"]


class ApiKey(_Section):
    """One caller of MPC-API; the key itself stays in .env."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")] = Field(
        description="how logs and metrics call its owner"
    )
    variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,79}$")] = Field(
        description="variable of .env that holds the key; generated where it is missing"
    )
    scopes: list[Scope] = _doc(list(get_args(Scope)), "what it may generate")
    requests_per_minute: PerMinute | None = _doc(None, "its own limit, in place of the service's")
    tokens_per_minute: PerMinute | None = _doc(None, "its own limit, in place of the service's")


class MpcApi(_Section):
    replicas: Replicas = _doc(1, "how many MPC-APIs run side by side")
    memory: Annotated[str, _at_least(96)] = _doc("256m", "memory limit of one MPC-API")
    grace: Grace = _doc(300, "seconds that running requests get to end before an MPC-API is stopped")
    log_level: Literal["debug", "info", "warning", "error"] = _doc("info", "what MPC-API logs")
    request_timeout: Annotated[int, Field(ge=1, le=600)] = _doc(60, "seconds that one request may take as a whole")
    cache_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = _doc(
        3600, "seconds that an answer is kept for identical requests; 0 keeps none"
    )
    requests_per_minute: PerMinute | None = _doc(None, "limit of each key; without it there is none")
    tokens_per_minute: PerMinute | None = _doc(None, "limit of each key; without it there is none")
    cors_origins: list[Annotated[str, Field(pattern=r"^https?://[\w.:\[\]-]+$")]] = _doc(
        [], "web pages of these origins may call MPC-API from a browser"
    )
    keys: list[ApiKey] = _doc([], "further callers, beside MPC_API_KEY which may do everything")

    @model_validator(mode="after")
    def _one_of_each(self) -> "MpcApi":
        for attribute in ("name", "variable"):
            found = [getattr(key, attribute) for key in self.keys]
            for value in found:
                if found.count(value) > 1 or value in _TAKEN:
                    raise ValueError(f"keys: the {attribute} '{value}' is taken already")
        return self


# Names of ours that a further key cannot have.
_TAKEN = frozenset(
    {"main", "MPC_API_KEY", "MPC_API_KEY_PREVIOUS", "LITELLM_MASTER_KEY", "REDIS_PASSWORD"},
)


class Edge(_Section):
    memory: Annotated[str, _at_least(32)] = _doc("128m", "memory limit of the edge")


class Services(_Section):
    redis: Redis = Redis()
    litellm: LiteLLM = LiteLLM()
    mpc_api: MpcApi = Field(default=MpcApi(), alias="mpc-api")
    edge: Edge = Edge()


class Tls(_Section):
    """HTTPS on both ports; plain HTTP is redirected."""

    cert: str = _doc(..., "PEM file of the certificate and its chain, relative to the stack directory")
    key: str = _doc(..., "PEM file of its private key, without a passphrase")


class Proxies(_Section):
    http: Url | None = _doc(None, "HTTP_PROXY of a build")
    https: Url | None = _doc(None, "HTTPS_PROXY of a build")
    no_proxy: str | None = _doc(None, "NO_PROXY of a build")


class Build(_Section):
    """How images are built behind a company proxy; nothing of it is in a finished image."""

    ca_bundle: str | None = _doc(None, "PEM file of the authorities to trust, relative to the stack directory")
    package_index: Url | None = _doc(None, "URL of a Python package index, in place of PyPI")
    proxies: Proxies = Proxies()
    base_images: dict[str, ImageName] = _doc(
        {}, "a base image that ours build on or run, and the one to use in its place"
    )


class Settings(_Section):
    """What aiinfra.yaml says; every key is optional."""

    stack: StackName = _doc(DEFAULT_STACK, "name of the stack, where --stack does not say another")
    provider_config: str = _doc("mock", "what the gateway serves: a bundled config, or your litellm/NAME.yaml")
    timeout: Annotated[int, Field(ge=1, le=86400)] = _doc(180, "seconds that `up` waits for all to be healthy")
    models: Models = Models()
    ports: Ports = Ports()
    services: Services = Services()
    build: Build = Build()
    tls: Tls | None = _doc(None, "certificate for HTTPS on both ports")


def load(directory: Path) -> Settings:
    """Return the settings of a stack directory; the defaults where it has no aiinfra.yaml.

    Raises AiinfraError (SETTINGS_INVALID) naming every key at fault, the rule and the fix.
    """
    path = directory / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise AiinfraError(
            Code.SETTINGS_INVALID, f"{FILE_NAME} cannot be read: {error}", hint=f"repair {path}"
        ) from error
    return parse(text)


def parse(text: str) -> Settings:
    try:
        data = yaml.load(text, _NoDuplicates)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _refusal([settings_faults.of_yaml(error)]) from error
    if data is None:
        return Settings()
    if not isinstance(data, Mapping):
        raise _refusal([f"{FILE_NAME}: the file must be a mapping of settings"])
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise _refusal(settings_faults.of_keys(error, text, Settings)) from error


class _NoDuplicates(yaml.SafeLoader):
    """YAML forbids duplicate keys (1.2, 3.2.1.3); PyYAML lets the last one win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            fault = "stands twice" if isinstance(key, str) and key in seen else "is not a word"
            if not isinstance(key, str) or key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key '{key}' {fault}", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _refusal(faults: list[str]) -> AiinfraError:
    return AiinfraError(
        Code.SETTINGS_INVALID,
        "\n".join(faults),
        hint=f"edit {FILE_NAME}; nothing was touched",
        details={"faults": faults},
    )
