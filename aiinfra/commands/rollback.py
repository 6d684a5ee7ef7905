"""`rollback`: back to an applied state that was kept, as a change like any other."""

from dataclasses import replace

from aiinfra import generations
from aiinfra.commands.apply import Applied, apply
from aiinfra.commands.decide import Overrides
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.generations import Generation
from aiinfra.loading import active_config
from aiinfra.reporting import Event, Report
from aiinfra.target import Target


def rollback(
    target: Target, number: int | None, *, engine: Engine, report: Report, timeout: float | None = None
) -> Applied:
    """Go back to generation `number`; to the last healthy one before the current when None.

    Keys are those of today. Raises AiinfraError (ROLLBACK_REFUSED) where there is no way back, before anything is
    touched.
    """
    chosen = _chosen(target, number)
    report(Event("note", f"generation {chosen.number}", f"of {chosen.at}, provider config {chosen.provider_config}"))
    applied = apply(target, "rollback", Overrides(generation=chosen), engine=engine, report=report, timeout=timeout)
    _choose(target, chosen)
    return applied


def _chosen(target: Target, number: int | None) -> Generation:
    found = generations.load(target.workspace)
    state = target.workspace.state()
    current = state.generation if state else 0
    if number is None:
        chosen = generations.before(found, current)
        missing = "there is no state to go back to that was healthy"
    else:
        chosen = next((one for one in found if one.number == number), None)
        damaged = f"{number}.json" in generations.damaged(target.workspace)
        missing = f"generation {number} is {'damaged' if damaged else 'not kept'}"
    if chosen is None:
        raise AiinfraError(Code.ROLLBACK_REFUSED, missing, hint="`aiinfra history` shows what is kept")
    return chosen


def _choose(target: Target, chosen: Generation) -> None:
    """Make the provider config that came back the one in use, or the next `up` would undo that."""
    state = target.workspace.state()
    if state is None:
        return
    before = active_config(target.settings, state)
    choice = {"name": chosen.provider_config, "settings": target.settings.provider_config, "before": before}
    if before != chosen.provider_config:
        target.workspace.save(replace(state, choice=choice))
