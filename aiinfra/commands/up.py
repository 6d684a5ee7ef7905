"""`up`: from whatever there is to a healthy stack; touches only what is missing or changed."""

from aiinfra.commands.apply import Applied, apply
from aiinfra.engine import Engine
from aiinfra.loading import Target
from aiinfra.reporting import Report


def up(target: Target, *, engine: Engine, report: Report, timeout: float | None = None) -> Applied:
    """Bring a stack to where its settings say. `timeout` is in seconds; the settings' when None."""
    return apply(target, "up", engine=engine, report=report, timeout=timeout)
