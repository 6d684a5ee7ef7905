"""Settings and what a stack remembers -> Stack: what it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra.naming import DEFAULT_STACK

if TYPE_CHECKING:
    from aiinfra.certificates import Certificate
    from aiinfra.settings import Settings

REDIS, LITELLM, MPC_API, EDGE = "redis", "litellm", "mpc-api", "edge"

# Redis's user for backups.
KEEPER = "keeper"

# In order of dependency: each needs those before it.
SERVICES = (REDIS, LITELLM, MPC_API, EDGE)
BUILT = (LITELLM, MPC_API)
PUBLISHED: Mapping[str, int] = {LITELLM: 4000, MPC_API: 3000}

# What must run for a service to be of use.
NEEDS: Mapping[str, tuple[str, ...]] = {
    REDIS: (),
    LITELLM: (REDIS, EDGE),
    MPC_API: (REDIS, LITELLM, EDGE),
    EDGE: (),
}

# The edge's ports that the host's lead to; with `tls` they speak HTTPS, while the stack's networks stay with HTTP.
OUTSIDE: Mapping[str, int] = {LITELLM: 4443, MPC_API: 3443}


@dataclass(frozen=True)
class Endpoint:
    """Where a client on this host reaches a service (always through the edge); HTTPS when there is a certificate."""

    service: str
    address: str
    port: int
    certificate: "Certificate | None" = None

    @property
    def host(self) -> str:
        """The address to connect to."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address, self.address)  # noqa: S104

    @property
    def url(self) -> str:
        """What a client is given; with a certificate, a name that it is good for where it has one."""
        host, scheme = self.host, "http"
        if self.certificate:
            plain = [name for name in self.certificate.names if not name.startswith("*")]
            fitting = [name for name in (host, "localhost") if name in plain]
            host, scheme = (fitting or plain or [host])[0], "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"


@dataclass(frozen=True)
class Identity:
    """What makes a stack this one, kept in its state file.

    `instance` is public: the edge puts it into every answer, so that a probe knows our own from a stranger's.
    `digest_key` is secret: it keys the content hashes that appear in labels and paths. `ports` and `address` are
    those of the host.
    """

    instance: str
    digest_key: bytes
    ports: Mapping[str, int]
    address: str


def keeper_password(identity: Identity) -> str:
    """Return the password of Redis's user for backups. No service knows it: only who may read the state file."""
    import hmac  # noqa: PLC0415 - not for commands that only look

    return hmac.digest(identity.digest_key, KEEPER.encode(), "sha256").hex()


def volume_name(stack: str) -> str:
    return "mpc-redis-data" if stack == DEFAULT_STACK else f"{stack}-redis-data"


def networks_of(stack: str, service: str) -> tuple[str, ...]:
    """Return the names of the networks that a service of a stack is on."""
    names = {REDIS: ("data",), EDGE: ("network", "backend")}.get(service, ("backend", "data"))
    return tuple(f"{stack}-{name}" for name in names)


@dataclass(frozen=True)
class Stack:
    """`scale` is a number of replicas by service, in place of the settings'.

    `given` are the settings, or what reads them when they are first needed: commands that only look never do.
    """

    name: str
    directory: Path
    given: "Settings | Callable[[], Settings]"
    identity: Identity
    scale: Mapping[str, int] = field(default_factory=dict)
    certificate: "Certificate | None" = None

    @cached_property
    def settings(self) -> "Settings":
        return self.given() if callable(self.given) else self.given

    @property
    def replicas(self) -> Mapping[str, int]:
        """How many containers each service has."""
        asked = {LITELLM: self.settings.services.litellm.replicas, MPC_API: self.settings.services.mpc_api.replicas}
        return {service: self.scale.get(service, asked.get(service, 1)) for service in SERVICES}

    @property
    def network(self) -> str:
        return f"{self.name}-network"

    @property
    def backend(self) -> str:
        return f"{self.name}-backend"

    @property
    def data(self) -> str:
        return f"{self.name}-data"

    def networks(self, service: str) -> tuple[str, ...]:
        """Return the names of the networks that a service is on."""
        return networks_of(self.name, service)

    @property
    def volume(self) -> str:
        return volume_name(self.name)

    def grace(self, service: str) -> int:
        """Return the seconds that what runs in a container of a published service gets to end by itself."""
        services = self.settings.services
        return {LITELLM: services.litellm.grace, MPC_API: services.mpc_api.grace}[service]

    def endpoint(self, service: str) -> Endpoint:
        return Endpoint(service, self.identity.address, self.identity.ports[service], self.certificate)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(self.endpoint(service) for service in PUBLISHED)


def wanted_ports(name: str, settings: "Settings") -> dict[str, int | None]:
    """Return the host port each published service asks for; None means any free one."""
    default = dict(PUBLISHED) if name == DEFAULT_STACK else {}
    asked = {LITELLM: settings.ports.litellm, MPC_API: settings.ports.mpc_api}
    return {service: asked[service] or default.get(service) for service in PUBLISHED}
