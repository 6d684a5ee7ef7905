"""`restart`: replace services in order of dependency; applies current settings too, which Compose's does not."""

from collections.abc import Sequence

from aiinfra.commands.apply import Applied, apply
from aiinfra.commands.decide import Overrides
from aiinfra.engine import Engine
from aiinfra.reporting import Report
from aiinfra.stack import EDGE, SERVICES
from aiinfra.target import Target


def restart(
    target: Target, services: Sequence[str], *, engine: Engine, report: Report, timeout: float | None = None
) -> Applied:
    """Restart services, each healthy before the next one; all but the edge when none is named.

    The edge owns the host ports: a restart of it cuts every connection, so it wants to be named.
    """
    wanted = [name for name in SERVICES if name in services or (not services and name != EDGE)]
    # Who names none means the stack: what changed in the edge is applied too.
    overrides = Overrides(forced=dict.fromkeys(wanted, "restart"), services=services, in_order=True)
    return apply(target, "restart", overrides, engine=engine, report=report, timeout=timeout)
