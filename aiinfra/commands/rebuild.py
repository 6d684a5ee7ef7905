"""`rebuild`: build our images anew and replace what runs them."""

from collections.abc import Sequence

from aiinfra.commands.apply import Applied, apply
from aiinfra.commands.build import ImageWishes
from aiinfra.commands.decide import Overrides
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.reporting import Report
from aiinfra.stack import BUILT
from aiinfra.target import Target


def rebuild(
    target: Target,
    services: Sequence[str],
    *,
    engine: Engine,
    report: Report,
    timeout: float | None = None,
    cached: bool = True,
    pull: bool = False,
) -> Applied:
    """Build and replace services, all that have an image of ours when none is named.

    Raises AiinfraError: USAGE for a service without a build of ours; BUILD_FAILED with the failing step's last lines,
    and then nothing was touched.
    """
    for name in services:
        if name not in BUILT:
            raise AiinfraError(
                Code.USAGE,
                f"{name} runs a base image: there is nothing to build",
                hint=f"services with a build: {', '.join(BUILT)}; a newer base image: `aiinfra up --pull`",
            )
    wanted = [name for name in BUILT if name in services or not services]
    wishes = ImageWishes(build=wanted, pull=pull, cached=cached)
    overrides = Overrides(services=wanted, forced=dict.fromkeys(wanted, "rebuilt"), wishes=wishes)
    return apply(target, "rebuild", overrides, engine=engine, report=report, timeout=timeout)
