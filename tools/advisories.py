"""Known vulnerabilities of Python packages: what is recorded about them, and which pinned versions they affect."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Advisory:
    """`ranges` are pairs (introduced, fixed); a missing `fixed` means that there is no fix."""

    id: str
    package: str
    ranges: tuple[tuple[str, str | None], ...]
    aliases: tuple[str, ...] = ()
    summary: str = ""

    def affects(self, version: str) -> bool:
        """Whether `version` lies in one of the ranges; one that cannot be read counts as affected."""
        try:
            one = Version(version)
            return any(Version(low) <= one and (high is None or one < Version(high)) for low, high in self.ranges)
        except InvalidVersion:
            return True


@dataclass(frozen=True)
class Finding:
    package: str
    version: str
    advisory: Advisory
    where: str


def pins(text: str) -> dict[str, str]:
    """The versions that a lock file pins, by canonical name."""
    return {canonicalize_name(name): version for name, version in _PIN.findall(text)}


def of_record(record: Mapping[str, Any]) -> Iterator[Advisory]:
    """The advisories in one record in the Open Source Vulnerability format, unless it was withdrawn."""
    if record.get("withdrawn"):
        return
    for affected in record.get("affected", ()):
        if affected["package"]["ecosystem"] == "PyPI":
            ranges = [pair for one in affected.get("ranges", ()) if one["type"] == "ECOSYSTEM" for pair in _pairs(one)]
            ranges += [] if ranges else [(version, _next(version)) for version in affected.get("versions", ())]
            yield Advisory(
                record["id"],
                canonicalize_name(affected["package"]["name"]),
                tuple(ranges),
                tuple(record.get("aliases", ())),
                " ".join(str(record.get("details", "")).split())[:200],
            )


def _pairs(one: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    introduced: str | None = None
    for event in one["events"]:
        if "introduced" in event:
            introduced = str(event["introduced"])
        elif introduced is not None:
            last = event.get("last_affected")
            yield introduced, str(event["fixed"]) if last is None else _next(str(last))
            introduced = None
    if introduced is not None:
        yield introduced, None


def _next(version: str) -> str:
    """The smallest version above `version` that anybody will release."""
    return f"{version}.post0.dev0" if "post" not in version and "+" not in version else f"{version}.1"


def findings(locks: Mapping[str, Mapping[str, str]], known: Iterable[Advisory]) -> list[Finding]:
    """Which of the pinned versions are affected; `locks` are pins by the name of their file."""
    found = [
        Finding(advisory.package, pinned[advisory.package], advisory, where)
        for advisory in known
        for where, pinned in locks.items()
        if advisory.package in pinned and advisory.affects(pinned[advisory.package])
    ]
    return sorted(found, key=lambda one: (one.package, one.advisory.id, one.where))
