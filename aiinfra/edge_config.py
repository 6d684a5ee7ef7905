"""The edge's configuration: HAProxy's file, and which containers stand behind it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiinfra.bundle import TEMPLATES, templates
from aiinfra.naming import CERTIFICATE
from aiinfra.stack import OUTSIDE, PUBLISHED, Stack

# The only secret of the folder is PEM.
FOLDER, _, PEM = CERTIFICATE.partition("/")
CONFIG = "haproxy.cfg"
FILE = f"{FOLDER}/{CONFIG}"
ADMIN_PORT, MASTER_PORT = 9999, 9998

# Places for containers behind the edge, per service: the replicas, one that comes and one that goes.
SLOTS = 10

# What an empty place is called: a name that Docker's DNS knows without asking others.
_PLACEHOLDER = "edge"

_SERVER = re.compile(
    r"^ +server (?P<service>[a-z-]+)-\d+ (?P<name>\S+):\d+( init-addr (?P<address>\S+),none)?(?P<disabled> disabled)?$",
    re.MULTILINE,
)
_VERSION = re.compile(r"^ +description (\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """The name of the container in a place, "" where it is empty, and its address at that time, if known.

    With the address, a reload has no moment without a server; Docker's DNS corrects it.
    """

    name: str = ""
    address: str = ""


# The places of each published service.
Attached = Mapping[str, tuple[Place, ...]]


def edge_files(stack: Stack, attached: Attached) -> dict[str, str]:
    """Return the files of the edge's folder, by name."""
    unversioned = _config(stack, empty(), "")
    others = {"hold.lua": (TEMPLATES / "edge" / "hold.lua").read_text(encoding="utf-8")}
    if stack.certificate:
        others[PEM] = stack.certificate.pem
    version = hashlib.sha256("".join((unversioned, *others.values())).encode()).hexdigest()[:12]
    return {**others, CONFIG: _config(stack, attached, version)}


def empty() -> dict[str, tuple[Place, ...]]:
    return {service: (Place(),) * SLOTS for service in PUBLISHED}


def first(stack: Stack) -> dict[str, tuple[Place, ...]]:
    """Return what stands behind a new stack's edge: containers as Compose names the first of each service."""
    return {
        service: padded([Place(f"{stack.name}-{service}-{number + 1}") for number in range(stack.replicas[service])])
        for service in PUBLISHED
    }


def padded(places: Sequence[Place]) -> tuple[Place, ...]:
    return (*places, *[Place()] * (SLOTS - len(places)))


def attached_in(config: str) -> dict[str, tuple[Place, ...]]:
    """Return what a configuration says stands behind the edge."""
    found: dict[str, list[Place]] = {service: [] for service in PUBLISHED}
    for server in _SERVER.finditer(config):
        place = Place() if server["disabled"] else Place(server["name"], server["address"] or "")
        found[server["service"]].append(place)
    return {service: padded(places[:SLOTS]) for service, places in found.items()}


def intact(stack: Stack, files: Mapping[str, str]) -> bool:
    """Say whether the files of the edge's folder are as we write them, whatever containers stand behind it."""
    return skeleton(files) == skeleton(edge_files(stack, first(stack)))


def skeleton(files: Mapping[str, str]) -> str:
    """Return a hash of the edge's files, by name, without what their places hold."""
    wanted = {name: files.get(name, "") for name in (CONFIG, "hold.lua", PEM)}
    wanted[CONFIG] = _SERVER.sub(r"server \g<service>", wanted[CONFIG])
    return hashlib.sha256("\0".join(wanted.values()).encode()).hexdigest()


def behind(config: str) -> set[tuple[str, str]]:
    """Return service and name of each container that a configuration has behind the edge."""
    found = attached_in(config).items()
    return {(service, place.name) for service, places in found for place in places if place.name}


def version_of(config: str) -> str:
    """Return what tells two configurations apart, whatever containers stand behind them."""
    found = _VERSION.search(config)
    return found[1] if found else ""


def _config(stack: Stack, attached: Attached, version: str) -> str:
    return (
        templates()
        .get_template("edge/haproxy.cfg.j2")
        .render(
            instance=stack.identity.instance,
            tls=stack.certificate is not None,
            outside=OUTSIDE,
            attached=attached,
            place_of=_place_of,
            admin_port=ADMIN_PORT,
            version=version,
        )
    )


def _place_of(place: Place, service: str) -> str:
    start = f" init-addr {place.address},none" if place.address else ""
    return f"{place.name or _PLACEHOLDER}:{PUBLISHED[service]}{start}{'' if place.name else ' disabled'}"
