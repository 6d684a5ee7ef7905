"""`health --deep`: every model behind the gateway is called once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from aiinfra import keys, probes
from aiinfra.deployments import Deployment, call, deployments
from aiinfra.target import Target, running

# A short word in a text is not a key.
_TELLING = 8


@dataclass(frozen=True)
class ModelHealth:
    """One deployment: `alias` is what clients ask for, `model` the provider's; `text` why it is not healthy."""

    alias: str
    model: str
    status: str
    milliseconds: float
    text: str


def models(target: Target, *, timeout: float) -> tuple[Deployment, ...]:
    """Return the deployments of the running gateway, without the mock provider's that fail on purpose."""
    return deployments(running(target), _values(target)["LITELLM_MASTER_KEY"], timeout=timeout)


def call_models(target: Target, found: Sequence[Deployment], *, timeout: float) -> tuple[ModelHealth, ...]:
    """Call every deployment at the same time. This costs what the provider takes for a short request."""
    stack, values = running(target), _values(target)
    key = values["LITELLM_MASTER_KEY"]
    looks = {one: partial(call, stack, key, one, timeout=timeout) for one in found}
    answers = probes.together(looks, timeout=timeout)
    secrets = [value for value in values.values() if len(value) >= _TELLING]
    return tuple(
        ModelHealth(one.alias, one.model, probe.status, probe.milliseconds, _redacted(probe.text, secrets))
        for one, probe in answers.items()
    )


def _values(target: Target) -> dict[str, str]:
    values = keys.load(target.directory, target.name)
    keys.check(values, target.keys_file)
    return values


def _redacted(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "****")
    return text
