"""`up`: from whatever there is to a healthy stack; touches only what is missing or changed."""

from collections.abc import Mapping, Sequence

from aiinfra.commands.apply import Applied, apply
from aiinfra.commands.build import ImageWishes
from aiinfra.commands.decide import Overrides
from aiinfra.engine import Engine
from aiinfra.reporting import Report
from aiinfra.stack import BUILT
from aiinfra.target import Target


def up(
    target: Target,
    services: Sequence[str] = (),
    *,
    engine: Engine,
    report: Report,
    timeout: float | None = None,
    detach: bool = False,
    build: bool | None = None,
    pull: bool = False,
    scale: Mapping[str, int] | None = None,
    in_place: bool = False,
) -> Applied:
    """Bring a stack, or the services named and what they need, to where the settings say.

    `timeout` is in seconds; the settings' when None. `build` builds our images even when they are there (True), only
    where they are missing (None), or never (False); `scale` are numbers of replicas for this once.
    `in_place` lets requests wait in the edge while a single container is replaced.
    """
    named = [name for name in BUILT if name in services or not services] if build else []
    wishes = ImageWishes(build=named, pull=pull, allowed=build is not False)
    overrides = Overrides(services=services, scale=scale or {}, wishes=wishes, in_place=in_place)
    return apply(target, "up", overrides, engine=engine, report=report, timeout=timeout, detach=detach)
