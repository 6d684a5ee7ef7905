"""The edge as it runs: what stands behind it, and how that changes without a lost request.

HAProxy's runtime API is a socket on the container's own loopback, reached with the bash of its image.
"""

import http.client
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiinfra import disk
from aiinfra.clock import SYSTEM_CLOCK, Clock
from aiinfra.edge_config import (
    ADMIN_PORT,
    FILE,
    FOLDER,
    MASTER_PORT,
    PEM,
    SLOTS,
    Attached,
    Place,
    attached_in,
    edge_files,
    intact,
    version_of,
)
from aiinfra.edge_state import Server, servers_in
from aiinfra.engine import Container, Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.stack import PUBLISHED, Stack

_TIMEOUT = 8
_RELOAD_TIMEOUT = 60
_BEYOND = 10
_EMPTY = Place()


@dataclass(frozen=True)
class Edge:
    """The running edge of a stack. `root` is the stack's own folder, where its configuration lies."""

    engine: Engine
    container: Container
    stack: Stack
    root: Path
    clock: Clock = SYSTEM_CLOCK

    def attached(self) -> dict[str, tuple[Place, ...]]:
        """Return what stands behind the edge, as its file says."""
        return attached_in(self._file())

    def servers(self, service: str = "") -> list[Server]:
        """Return every place behind the edge, of one service where one is named. Raises EDGE_REFUSED."""
        found = servers_in(self._admin("show servers state; show stat"))
        return [one for one in found if service in ("", one.service)]

    def attach(self, container: Container) -> None:
        """Let a container take requests from now on; it must be able to. Raises EDGE_REFUSED when there is no place."""
        index = self._place_for(container)
        path = f"{container.service}/{container.service}-{index + 1}"
        if not self._has_address(path, container):
            self._admin(f"set server {path} state maint; set server {path} fqdn {container.name}")
            if not self.clock.until(lambda: self._has_address(path, container), seconds=20, pause=0.05):
                raise _refused(f"it cannot find the address of {container.name}")
        self._admin(f"set server {path} state ready")
        # Last: what serves comes back on a full disk too.
        self._write(container.service, index, Place(container.name, self._address(container)))

    def drain(self, name: str) -> None:
        """Give a container no new requests, from now on and after a restart of the edge."""
        for server in self.servers():
            if server.name == name:
                self._admin(f"set server {server.path} state drain")
                self._write(server.service, server.place - 1, _EMPTY)

    def detach(self, name: str) -> None:
        """Free the place of a container, whatever still runs there."""
        for server in self.servers():
            if server.name == name:
                self._write(server.service, server.place - 1, _EMPTY)
                self._admin(f"set server {server.path} state maint; set server {server.path} fqdn {FOLDER}")

    def in_flight(self, name: str) -> int:
        """Return how many requests run in a container, or are on their way to it."""
        return sum(server.in_flight for server in self.servers() if server.name == name)

    def idle(self, name: str) -> bool:
        """Say whether nothing runs in a container, or is on its way to it."""
        return self.in_flight(name) == 0

    def serves(self, name: str) -> bool:
        """Say whether a container takes requests and passed the edge's own check."""
        return any(server.serves for server in self.servers() if server.name == name)

    def align(self) -> None:
        """Make what runs equal to the file, where an interrupted command left the one ahead of the other."""
        wanted = {
            (service, number): place.name
            for service, places in self.attached().items()
            for number, place in enumerate(places, 1)
        }
        for server in self.servers():
            name = wanted[server.service, server.place]
            if not name and server.state != "maint":
                self._admin(f"set server {server.path} state maint; set server {server.path} fqdn {FOLDER}")
            elif name and (server.name != name or server.state != "ready"):
                self._admin(f"set server {server.path} fqdn {name}; set server {server.path} state ready")

    def mend(self) -> None:
        """Write the files anew from what runs, where they were changed by hand or are gone."""
        if not intact(self.stack, disk.texts(self.root / FOLDER)):
            found = {server.path: server for server in self.servers() if server.state == "ready"}
            places = {
                service: tuple(
                    Place(one.name, one.address) if (one := found.get(f"{service}/{service}-{number}")) else Place()
                    for number in range(1, SLOTS + 1)
                )
                for service in PUBLISHED
            }
            write_config(self.root, self.stack, places)

    def hold(self, service: str, *, seconds: int) -> None:
        """Let requests to a service wait in the edge, for so many seconds from now at most; 0 lets them go."""
        name = f"proc.hold_{service.replace('-', '_')}"
        self._admin(f"experimental-mode on; set var {name} expr date({seconds})")

    def version(self) -> str:
        """Return the version of the configuration that runs."""
        found = re.search(r"^description: *(\w+)$", self._admin("show info"), re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""

    def reload(self) -> None:
        """Take over the file, without a lost request. Raises EDGE_REFUSED when HAProxy does not."""
        answer = self._talk("127.0.0.1", MASTER_PORT, "reload\n", _RELOAD_TIMEOUT)
        wanted = version_of(self._file())
        if not self.clock.until(lambda: self.version() == wanted, seconds=_TIMEOUT):
            raise _refused(f"it did not take over its new configuration: {answer.strip()[-500:]}")

    def former(self) -> int:
        """Return how many processes from before a reload still have connections; they know no new server."""
        processes = self._talk("127.0.0.1", MASTER_PORT, "show proc\nquit\n", _TIMEOUT)
        _, _, old = processes.partition("# old workers")
        return len(re.findall(r"^\d+ +worker", old, re.MULTILINE))

    def request(
        self, host: str, port: int, method: str, path: str, *, headers: Mapping[str, str], body: str, timeout: float
    ) -> tuple[int, str]:
        """Send one HTTP request from the edge, as its own would travel; returns status and body.

        Nothing of it is in a process list. Raises OSError or http.client.HTTPException when there is no answer.
        """
        lines = {"Host": host, "Connection": "close", "Content-Length": str(len(body.encode())), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        answer = self._ask(host, port, f"{method} {path} HTTP/1.0\r\n{head}\r\n{body}", timeout)
        response = http.client.HTTPResponse(_Answer(answer))  # type: ignore[arg-type]
        response.begin()
        return response.status, response.read().decode("utf-8", "replace")

    def _place_for(self, container: Container) -> int:
        """Return the index of the place that a container has, drained or not, else of an empty one."""
        running = {server.place - 1: server for server in self.servers(container.service)}
        places = self.attached()[container.service]
        known = [index for index, server in running.items() if server.name == container.name]
        free = [index for index, place in enumerate(places) if not place.name and running[index].state == "maint"]
        if not known and not free:
            raise _refused(f"all {SLOTS} places of {container.service} are taken")
        return (known or free)[0]

    def _has_address(self, path: str, container: Container) -> bool:
        found = [one for one in self.servers(container.service) if one.path == path]
        return bool(found) and (found[0].name, found[0].address) == (container.name, self._address(container))

    def _address(self, container: Container) -> str:
        return address(self.stack, container)

    def _file(self) -> str:
        return (self.root / FILE).read_text(encoding="utf-8")

    def _write(self, service: str, index: int, place: Place) -> None:
        attached = self.attached()
        if attached[service][index] != place:
            places = tuple(place if at == index else one for at, one in enumerate(attached[service]))
            write_config(self.root, self.stack, {**attached, service: places})

    def _admin(self, command: str) -> str:
        return self._talk("127.0.0.1", ADMIN_PORT, f"{command}\n", _TIMEOUT)

    def _talk(self, host: str, port: int, text: str, timeout: float) -> str:
        try:
            return self._ask(host, port, text, timeout)
        except OSError as error:
            raise _refused(f"it does not answer: {error}") from error

    def _ask(self, host: str, port: int, text: str, timeout: float) -> str:
        try:
            return self.engine.ask(self.container, host, port, text, seconds=timeout, beyond=_BEYOND)
        except TimeoutError as error:
            # Raises DOCKER_STOPPED where it is the engine that hangs.
            now = self.engine.rollout.look_at(self.container.id)
            raise OSError(f"{self.container.name} is {now.state if now else 'gone'}, and silent") from error


def write_config(root: Path, stack: Stack, attached: Attached) -> None:
    """Write the edge's folder; HAProxy reads it when it starts or reloads."""
    files = edge_files(stack, attached)
    for name, text in files.items():
        disk.hand_over(root / FOLDER / name, text, secret=name == PEM)
    if PEM not in files:
        (root / FOLDER / PEM).unlink(missing_ok=True)


def address(stack: Stack, container: Container) -> str:
    """Return where the edge reaches a container; "" when it does not run."""
    return container.addresses.get(stack.backend, "")


class _Answer:
    def __init__(self, text: str) -> None:
        self.text = text

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self.text.encode())


def _refused(reason: str) -> AiinfraError:
    return AiinfraError(Code.EDGE_REFUSED, f"the edge: {reason}", hint="see why: `aiinfra health`, `aiinfra logs edge`")
