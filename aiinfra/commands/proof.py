"""Whether the running gateway serves what a provider config says, asked as clients ask."""

from aiinfra import gateway
from aiinfra.clock import Clock
from aiinfra.errors import AiinfraError, Code
from aiinfra.providers import ProviderConfig
from aiinfra.reporting import Event, Report
from aiinfra.stack import Stack

_LOOK = 5.0
_ANSWER = 120.0

# The edge may take a moment longer than LiteLLM to let requests through.
_PATIENCE = 30.0


def asked_aliases(wanted: ProviderConfig, *, everything: bool) -> tuple[str, ...]:
    """Return the aliases to send a request to: those that cost nothing, or all but those that fail on purpose."""
    aliases = wanted.aliases if everything else wanted.free_aliases
    return tuple(one for one in aliases if "*" not in one and not one.startswith("mock/"))


def prove(wanted: ProviderConfig, stack: Stack, key: str, *, everything: bool, report: Report, clock: Clock) -> None:
    """Compare the gateway's own model list, and send one request to each alias. Raises PROOF_FAILED."""
    fault = ""

    def serves() -> bool:
        nonlocal fault
        fault = models_fault(wanted, stack, key)
        return not fault

    if not clock.until(serves, seconds=_PATIENCE):
        raise _unproved(wanted, fault)
    for alias in asked_aliases(wanted, everything=everything):
        try:
            gateway.once(stack, key, alias, timeout=_ANSWER, embedding="embed" in wanted.model_of(alias))
        except AiinfraError as error:
            raise _unproved(wanted, f"a request for '{alias}' failed: {error.message}") from error
        report(Event("note", alias, "answers"))


def models_fault(wanted: ProviderConfig, stack: Stack, key: str) -> str:
    """Return what the gateway lacks, or why it does not say; "" when it serves all of a config's aliases."""
    try:
        served = set(gateway.served(stack, key, timeout=_LOOK))
        deployed = gateway.deployed(stack, key, timeout=_LOOK)
    except AiinfraError as error:
        return error.message
    missing = [one for one in wanted.aliases if "*" not in one and one not in served]
    if missing:
        return f"it does not serve {', '.join(missing)}"
    dropped = wanted.dropped(deployed)
    return f"LiteLLM left out a deployment of {', '.join(dropped)}" if dropped else ""


def _unproved(wanted: ProviderConfig, reason: str) -> AiinfraError:
    return AiinfraError(
        Code.PROOF_FAILED,
        f"the gateway does not do what '{wanted.name}' says: {reason}",
        hint="see more: `aiinfra logs litellm`",
        details={"provider_config": wanted.name, "reason": reason},
    )
