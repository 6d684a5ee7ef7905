"""Which of a distribution's packages make a Docker engine, and which suite they have to come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import apt_archives
from decision import BUILDX, COMPOSE, ENGINE, GUIDE, NEEDED
from steps import StopError, at_least, dotted, step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steps import Version


@dataclass(frozen=True, slots=True)
class Distribution:
    """Its packages with the version they must have; `suite` has newer ones when its releases are too old."""

    origin: str
    engine: Mapping[str, Version]
    plugins: Mapping[str, Version]
    suite: str = ""


DISTRIBUTIONS = {
    "debian": Distribution(
        origin="Debian",
        engine={"docker.io": ENGINE, "docker-cli": ENGINE},
        plugins={"docker-compose": COMPOSE, "docker-buildx": BUILDX},
        suite="sid",
    ),
    "ubuntu": Distribution(
        origin="Ubuntu",
        engine={"docker.io": ENGINE},
        plugins={"docker-compose-v2": COMPOSE, "docker-buildx": BUILDX},
    ),
}
# Always from the machine's own release: newer ones want a newer libc.
COMPANIONS = ("containerd", "runc", "iptables")


def wanted(
    distribution: Distribution, offers: Mapping[str, Version], release: str, *, engine: bool
) -> tuple[list[str], str]:
    """The packages to install, as `name` or `name/suite`, and the further suite they need ("" for none).

    `offers` is what apt would install by itself, `release` the machine's own. StopError when nothing is new enough.
    """
    needed = {**(distribution.engine if engine else {}), **distribution.plugins}
    companions = COMPANIONS if engine else ()
    if all(at_least(offers.get(name), least) for name, least in needed.items()):
        return [*needed, *companions], ""
    if not distribution.suite:
        offer = ", ".join(f"{name} {dotted(offers.get(name))}" for name in needed)
        raise StopError(f"this release of {distribution.origin} offers only {offer}; needed: {NEEDED}", GUIDE)
    newer = [f"{name}/{distribution.suite}" for name in needed]
    return newer + [f"{name}/{release}" for name in companions], distribution.suite


def install(distribution: Distribution, *, engine: bool) -> None:
    """Install the plugins, and the engine if asked to; from a further suite when the machine's own is too old."""
    archive = apt_archives.main_archive_of(distribution.origin)
    offers = apt_archives.offered([*distribution.engine, *distribution.plugins])
    names, suite = wanted(distribution, offers, archive.codename, engine=engine)
    with step(f"installed {' '.join(names)}"):
        if not suite:
            apt_archives.install(names)
            return
        with apt_archives.further_suite(archive, suite):
            apt_archives.install(names)
