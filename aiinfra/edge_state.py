"""What HAProxy says of the places behind it."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiinfra.stack import PUBLISHED

# Bits of srv_admin_state (HAProxy's management guide, "show servers state").
_MAINTENANCE, _DRAIN, _UNRESOLVED = 0x23, 0x18, 0x20


@dataclass(frozen=True)
class Server:
    """One place behind the edge. `state` is HAProxy's: ready, drain or maint.

    `serves` says that it takes requests and its last check passed; `in_flight` are requests that run or wait there.
    """

    service: str
    place: int
    name: str
    address: str
    state: str
    serves: bool
    in_flight: int

    @property
    def path(self) -> str:
        return f"{self.service}/{self.service}-{self.place}"


def servers_in(text: str) -> list[Server]:
    """Read what `show servers state; show stat` printed."""
    state, _, stats = text.partition("# pxname")
    figures = {(row["pxname"], row["svname"]): row for row in csv.DictReader(io.StringIO("pxname" + stats))}
    # With TLS, the edge also has places of its own.
    return [_server(row, figures) for row in _rows(state) if row["be_name"] in PUBLISHED]


def _rows(state: str) -> Iterator[dict[str, str]]:
    lines = [line for line in state.splitlines() if line.strip()]
    header = next((line.lstrip("# ").split() for line in lines if line.startswith("#")), [])
    return (dict(zip(header, line.split(), strict=False)) for line in lines if line[0].isdigit() and " " in line)


def _server(row: Mapping[str, str], figures: Mapping[tuple[str, str], Mapping[str, str]]) -> Server:
    service, _, place = row["srv_name"].rpartition("-")
    admin, figure = int(row["srv_admin_state"]), figures[row["be_name"], row["srv_name"]]
    state = "maint" if admin & _MAINTENANCE & ~_UNRESOLVED else "drain" if admin & _DRAIN else "ready"
    # HAProxy says UP before its first check.
    passed = figure["status"].startswith("UP") and figure["check_status"] == "L7OK"
    return Server(
        service=service,
        place=int(place),
        name=row["srv_fqdn"],
        address=row["srv_addr"],
        state=state,
        serves=state == "ready" and passed,
        in_flight=int(figure["scur"]) + int(figure["qcur"]),
    )
