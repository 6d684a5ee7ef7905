"""`models`: what the running gateway serves, and what is behind it. Nobody is paid for it."""

from dataclasses import dataclass
from functools import partial

from aiinfra import gateway, keys, probes
from aiinfra.deployments import Deployment, call, deployments
from aiinfra.target import Target, running


@dataclass(frozen=True)
class DeploymentRow:
    """`health` is "" where asking would cost money."""

    model: str
    id: str
    health: str


@dataclass(frozen=True)
class ModelRow:
    """One alias that clients may ask for, and what is behind it."""

    alias: str
    deployments: tuple[DeploymentRow, ...]


def models(target: Target, *, timeout: float) -> tuple[ModelRow, ...]:
    """Return the aliases of the running gateway. Raises AiinfraError: NOT_RUNNING, REQUEST_FAILED."""
    stack, key = running(target), keys.load(target.directory, target.name).get("LITELLM_MASTER_KEY", "")
    aliases = gateway.served(stack, key, timeout=timeout)
    behind = deployments(stack, key, timeout=timeout)
    free = {one: partial(call, stack, key, one, timeout=timeout) for one in behind if one.free}
    health = {one: probe.status for one, probe in probes.together(free, timeout=timeout).items()}
    return tuple(ModelRow(alias, _rows(alias, behind, health)) for alias in aliases)


def _rows(alias: str, behind: tuple[Deployment, ...], health: dict[Deployment, str]) -> tuple[DeploymentRow, ...]:
    ours = [one for one in behind if one.alias == alias]
    return tuple(DeploymentRow(one.model, one.id, health.get(one, "")) for one in ours)
