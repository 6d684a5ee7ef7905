"""`use-config`: another provider config as a transaction: checked, applied, proved, or undone."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from aiinfra import generations, keys, meaning
from aiinfra.clock import SYSTEM_CLOCK, Clock
from aiinfra.commands import config
from aiinfra.commands.apply import applied, say_waiting
from aiinfra.commands.bring import ServiceResult
from aiinfra.commands.decide import Overrides
from aiinfra.commands.judge import insist_on_litellm
from aiinfra.commands.kept import config_of, serving
from aiinfra.commands.proof import asked_aliases, prove
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.generations import Generation
from aiinfra.providers import Difference, ProviderConfig, difference
from aiinfra.reporting import Event, Report
from aiinfra.stack import LITELLM
from aiinfra.state import State
from aiinfra.target import Target

PREVIOUS = "-"


@dataclass(frozen=True)
class Use:
    """What a use-config is about; `difference` is None when what is in use cannot be read any more.

    `running` says whether anything of the stack runs. `paid` are the aliases that `--probe` would pay for, `warnings`
    what the check found that stands in the way of nothing.
    """

    name: str
    before: str
    difference: Difference | None
    running: bool
    paid: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class UseResult:
    """`applied` says whether the running gateway serves it now; `probed` are the aliases that answered."""

    stack: str
    provider_config: str
    before: str
    applied: bool
    probed: tuple[str, ...] = ()
    seconds: float = 0.0
    services: tuple[ServiceResult, ...] = ()
    difference: Difference | None = None

    @property
    def changed(self) -> bool:
        return any(one.action != "unchanged" for one in self.services)


@dataclass(frozen=True)
class _Way:
    """What a switch needs all the way, and back: `former` is what served before it, `choice` what was chosen then."""

    target: Target
    use: Use
    former: Generation | None
    choice: Mapping[str, str]
    engine: Engine
    report: Report
    seconds: float


def prepare(target: Target, name: str, *, engine: Engine) -> Use:
    """Check a config, without LiteLLM, and compare it with the one in use; touches nothing.

    `name` may be `-`, the one used before. Raises AiinfraError (exit 3) with every fault.
    """
    after = config.read(target, _previous(target) if name == PREVIOUS else name)
    warnings = config.insist(target, after)
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers)
    former = serving(target, containers)
    free = asked_aliases(after, everything=False)
    return Use(
        after.name,
        former.provider_config if former else config.active(target),
        _difference(target, former, after),
        any(one.running for one in containers),
        tuple(one for one in asked_aliases(after, everything=True) if one not in free),
        tuple(str(one) for one in warnings),
    )


def check_only(target: Target, use: Use, *, engine: Engine, report: Report) -> UseResult:
    """Let LiteLLM judge a config, and stop there. Raises AiinfraError (PROVIDER_CONFIG_INVALID)."""
    insist_on_litellm(target, use.name, engine=engine, report=report)
    return UseResult(target.name, use.name, use.before, applied=False, difference=use.difference)


def use_config(
    target: Target,
    use: Use,
    *,
    probe: bool,
    engine: Engine,
    report: Report,
    timeout: float | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> UseResult:
    """Make a stack serve another provider config, and prove it. `probe` sends a real request to every alias.

    On a stack that does not run, LiteLLM judges the config in a container of its own, and the choice is recorded. On
    one that runs, the new gateway is that judge: it starts beside the old one and is proved before it gets a request.
    Raises AiinfraError: exit 3 before anything is touched, NOT_READY with the candidate's own words, PROOF_FAILED
    when what it serves is not what was asked for. Whatever is raised, the config before serves on.
    """
    began, seconds = clock.now(), float(timeout or target.settings.timeout)
    if not use.running:
        check_only(target, use, engine=engine, report=report)
    with target.workspace.lock("use-config", wait=seconds, on_wait=partial(say_waiting, report)):
        # Whoever held the lock may have changed what serves.
        former, state = serving(target, engine.containers(target.name)), target.workspace.state()
        use = replace(use, before=former.provider_config if former else config.active(target))
        if not use.running:
            _choose(target, use)
            return UseResult(target.name, use.name, use.before, applied=False, difference=use.difference)
        way = _Way(target, use, former, state.choice if state else {}, engine, report, seconds)
        probed, services = _switch(way, everything=probe, clock=clock)
    took = round(clock.now() - began, 2)
    return UseResult(target.name, use.name, use.before, True, probed, took, services, use.difference)


def _switch(way: _Way, *, everything: bool, clock: Clock) -> tuple[tuple[str, ...], tuple[ServiceResult, ...]]:
    """Apply and prove, or go back; returns the aliases that were asked, and what was done to each service."""
    target, use, report = way.target, way.use, way.report
    wanted, overrides = config.read(target, use.name), Overrides(provider_config=use.name)
    try:
        done = applied(target, "use-config", overrides, engine=way.engine, report=report, seconds=way.seconds)
        # Before the proof: who is interrupted there has a gateway that serves it.
        _choose(target, use)
        key = keys.load(target.directory, target.name)["LITELLM_MASTER_KEY"]
        prove(wanted, config.stack_of(target), key, everything=everything, report=report, clock=clock)
    except AiinfraError as error:
        if error.code in (Code.NOT_READY, Code.PROOF_FAILED):
            _go_back(way, error)
        raise
    return asked_aliases(wanted, everything=everything), done.services


def _previous(target: Target) -> str:
    state = target.workspace.state()
    choice = state.choice if state else {}
    # Once aiinfra.yaml was edited, what had been chosen is the one before.
    before = choice.get("before" if choice.get("name") == config.active(target) else "name")
    if not before:
        hint = "name one: `aiinfra config list` shows them"
        raise AiinfraError(Code.USAGE, "there is no provider config to go back to", hint=hint)
    return before


def _difference(target: Target, former: Generation | None, after: ProviderConfig) -> Difference | None:
    """Compare with what the gateway was given, whose file may have been edited since."""
    try:
        return difference(config_of(target, former) if former else config.read(target, config.active(target)), after)
    except AiinfraError:
        return None


def _go_back(way: _Way, error: AiinfraError) -> None:
    """Bring back what served before, where the new one has taken its place already; `error` says so from then on."""
    before = way.use.before
    if error.details.get("kept") and config.stack_of(way.target).replicas[LITELLM] == 1:
        error.hint = f"'{before}' serves on; {error.hint}"
        return
    way.report(Event("note", way.use.name, f"it does not work; going back to {before}"))
    try:
        _bring_back(way)
    except AiinfraError as second:
        error.message += f"\nGoing back to '{before}' failed too: {second.message}"
    else:
        error.hint = f"'{before}' serves again; {error.hint}"


def mark_failed(target: Target, use: Use) -> None:
    """Let `history` say of the state with the new config that it failed; going back does not depend on that."""
    if use.name == use.before:
        return
    with suppress(AiinfraError):
        state = target.workspace.state()
        for one in generations.load(target.workspace):
            if state and one.number == state.generation and one.provider_config == use.name:
                generations.save(target.workspace, replace(one, healthy=False))


def _bring_back(way: _Way) -> None:
    """Apply what was kept of the former state; where keys changed since, what its config says today."""
    mark_failed(way.target, way.use)
    ways = [Overrides(generation=way.former, services=(LITELLM,))] if way.former else []
    ways.append(Overrides(provider_config=way.use.before, services=(LITELLM,)))
    for overrides in ways:
        try:
            applied(way.target, "use-config", overrides, engine=way.engine, report=way.report, seconds=way.seconds)
        except AiinfraError as error:
            if error.code is not Code.ROLLBACK_REFUSED:
                raise
        else:
            break
    if state := way.target.workspace.state():
        way.target.workspace.save(replace(state, choice=way.choice))
    meaning.write(way.target)


def _choose(target: Target, use: Use) -> None:
    """Remember the choice, with what aiinfra.yaml says today: a later edit there counts again."""
    state = target.workspace.state() or State(config.stack_of(target).identity)
    before = use.before if use.before != use.name else state.choice.get("before", "")
    choice = {"name": use.name, "settings": target.settings.provider_config, "before": before}
    target.workspace.save(replace(state, choice=choice))
    meaning.write(target)
