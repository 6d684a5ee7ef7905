"""The models behind the gateway, each asked by itself. This is the one look that calls providers."""

import json
import time
from dataclasses import dataclass

from aiinfra.errors import AiinfraError
from aiinfra.gateway import asked
from aiinfra.probes import Probe
from aiinfra.stack import Stack

_MOCK = "mock/"
_SHOWN = 300


@dataclass(frozen=True)
class Deployment:
    """One entry of the gateway's model list: the alias that clients ask for, and the provider's model behind it."""

    id: str
    alias: str
    model: str

    @property
    def free(self) -> bool:
        """Whether a call of it costs nothing: the mock provider answers inside the gateway."""
        return self.model.startswith(_MOCK)

    @property
    def fails_on_purpose(self) -> bool:
        return self.free and self.alias.startswith(_MOCK)


def deployments(stack: Stack, key: str, *, timeout: float) -> tuple[Deployment, ...]:
    """Return what the running gateway serves. Raises AiinfraError (REQUEST_FAILED) when it does not say."""
    with asked(stack, key, "/v1/model/info", timeout) as response:
        found = [
            Deployment(str(one["model_info"]["id"]), str(one["model_name"]), str(one["litellm_params"]["model"]))
            for one in json.loads(response.read())["data"]
        ]
    return tuple(one for one in found if not one.fails_on_purpose)


def call(stack: Stack, key: str, deployment: Deployment, *, timeout: float) -> Probe:
    """Let the gateway send one short request to a deployment; never raises. `timeout` is in seconds."""
    start = time.monotonic()
    try:
        with asked(stack, key, f"/health?model_id={deployment.id}", timeout) as response:
            answer = dict(json.loads(response.read()))
        broken = answer.get("unhealthy_endpoints") or ()
        status = "unhealthy" if broken or not answer.get("healthy_endpoints") else "healthy"
        text = str(broken[0].get("error", "")).partition("\nstack trace")[0] if broken else ""
    except AiinfraError as error:
        status, text = "unhealthy", error.message
    return Probe(status, round((time.monotonic() - start) * 1000, 1), text[:_SHOWN])
