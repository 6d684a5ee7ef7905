"""`use-config`: another provider config as a transaction: checked, applied, proved, or undone."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from aiinfra import generations, keys, meaning
from aiinfra.clock import SYSTEM_CLOCK, Clock
from aiinfra.commands import config
from aiinfra.commands.apply import apply
from aiinfra.commands.bring import ServiceResult
from aiinfra.commands.decide import Overrides
from aiinfra.commands.proof import asked_aliases, prove
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.providers import Difference, difference
from aiinfra.reporting import Event, Report
from aiinfra.stack import LITELLM
from aiinfra.target import Target
from aiinfra.workspace import State

PREVIOUS = "-"
_LOCK_WAIT = 30.0


@dataclass(frozen=True)
class Use:
    """What a use-config is about; `difference` is None when the config in use cannot be read any more.

    `aliases` are those that `--probe` would send a request to.
    """

    name: str
    before: str
    difference: Difference | None
    running: bool
    aliases: tuple[str, ...]


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


def prepare(target: Target, name: str, *, engine: Engine) -> Use:
    """Check a config, without LiteLLM, and compare it with the one in use; touches nothing.

    `name` may be `-`, the one used before. Raises AiinfraError (exit 3) with every fault.
    """
    before = config.active(target)
    after = config.read(target, _previous(target) if name == PREVIOUS else name)
    config.insist(target, after)
    try:
        change = difference(config.read(target, before), after)
    except AiinfraError:
        change = None
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers)
    up = any(one.service == LITELLM and one.running for one in containers)
    return Use(after.name, before, change, up, asked_aliases(after, everything=True))


def check_only(target: Target, use: Use, *, engine: Engine, report: Report) -> UseResult:
    """Let LiteLLM judge a config, and stop there. Raises AiinfraError (PROVIDER_CONFIG_INVALID)."""
    config.insist_on_litellm(target, use.name, engine=engine, report=report)
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
    began = clock.now()
    if not use.running:
        check_only(target, use, engine=engine, report=report)
        _record(target, use)
        return UseResult(target.name, use.name, use.before, applied=False, difference=use.difference)
    wanted, everything = config.read(target, use.name), probe
    overrides = Overrides(provider_config=use.name)
    try:
        applied = apply(target, "use-config", overrides, engine=engine, report=report, timeout=timeout)
        key = keys.load(target.directory, target.name)["LITELLM_MASTER_KEY"]
        prove(wanted, config.stack_of(target), key, everything=everything, report=report, clock=clock)
    except AiinfraError as error:
        if error.code in (Code.NOT_READY, Code.PROOF_FAILED):
            _go_back(target, use, error, engine=engine, report=report, timeout=timeout)
        raise
    _record(target, use)
    seconds = round(clock.now() - began, 2)
    probed = asked_aliases(wanted, everything=everything)
    return UseResult(target.name, use.name, use.before, True, probed, seconds, applied.services, use.difference)


def _previous(target: Target) -> str:
    state = target.workspace.state()
    before = state.choice.get("before") if state else None
    if not before:
        hint = "name one: `aiinfra config list` shows them"
        raise AiinfraError(Code.USAGE, "there is no provider config to go back to", hint=hint)
    return before


def _go_back(
    target: Target, use: Use, error: AiinfraError, *, engine: Engine, report: Report, timeout: float | None
) -> None:
    """Bring the config before back, where the new one has taken its place already; `error` says so from then on."""
    if error.details.get("kept"):
        error.hint = f"'{use.before}' serves on; {error.hint}"
        return
    report(Event("note", use.name, f"it does not work; going back to {use.before}"))
    overrides, prepare = Overrides(provider_config=use.before), partial(mark_failed, target, use)
    try:
        apply(target, "use-config", overrides, engine=engine, report=report, timeout=timeout, prepare=prepare)
    except AiinfraError as second:
        error.message += f"\nGoing back to '{use.before}' failed too: {second.message}"
    else:
        error.hint = f"'{use.before}' serves again; {error.hint}"


def mark_failed(target: Target, use: Use) -> None:
    """Let `history` say of the state with the new config that it failed; going back does not depend on that."""
    if use.name == use.before:
        return
    with suppress(AiinfraError):
        state = target.workspace.state()
        for one in generations.load(target.workspace):
            if state and one.number == state.generation and one.provider_config == use.name:
                generations.save(target.workspace, replace(one, healthy=False))


def _record(target: Target, use: Use) -> None:
    """Remember the choice, with what aiinfra.yaml says today: a later edit there counts again."""
    with target.workspace.lock("use-config", wait=_LOCK_WAIT, on_wait=lambda _holder: None):
        state = target.workspace.state() or State(config.stack_of(target).identity)
        before = use.before if use.before != use.name else state.choice.get("before", use.before)
        choice = {"name": use.name, "settings": target.settings.provider_config, "before": before}
        target.workspace.save(replace(state, choice=choice))
        meaning.write(target)
