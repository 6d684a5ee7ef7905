"""The models behind the gateway, each asked by itself. This is the one look that calls providers."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any

from aiinfra.connections import connection_to
from aiinfra.errors import AiinfraError, Code
from aiinfra.probes import IDENTITY_HEADER, Probe
from aiinfra.stack import LITELLM, Stack

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
    answer = _ask(stack, "/v1/model/info", key, timeout)
    found = [
        Deployment(str(one["model_info"]["id"]), str(one["model_name"]), str(one["litellm_params"]["model"]))
        for one in answer.get("data", ())
    ]
    return tuple(one for one in found if not one.fails_on_purpose)


def call(stack: Stack, key: str, deployment: Deployment, *, timeout: float) -> Probe:
    """Let the gateway send one short request to a deployment; never raises. `timeout` is in seconds."""
    start = time.monotonic()
    try:
        answer = _ask(stack, f"/health?model_id={deployment.id}", key, timeout)
        broken = answer.get("unhealthy_endpoints") or ()
        status = "unhealthy" if broken or not answer.get("healthy_endpoints") else "healthy"
        text = str(broken[0].get("error", "")).partition("\nstack trace")[0] if broken else ""
    except AiinfraError as error:
        status, text = "unhealthy", error.message
    return Probe(status, round((time.monotonic() - start) * 1000, 1), text[:_SHOWN])


def _ask(stack: Stack, path: str, key: str, timeout: float) -> dict[str, Any]:
    endpoint = stack.endpoint(LITELLM)
    connection = connection_to(endpoint, timeout)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
        if response.headers.get(IDENTITY_HEADER) != stack.identity.instance:
            raise _refusal(f"something else answers on port {endpoint.port}")
        answer = json.loads(body) if response.status == http.client.OK else None
    except TimeoutError as error:
        raise _refusal("no answer in time") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _refusal(f"no usable answer: {error}") from error
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise _refusal(f"HTTP {response.status}: {body[:_SHOWN]}")
    return answer


def _refusal(reason: str) -> AiinfraError:
    return AiinfraError(
        Code.REQUEST_FAILED, f"the gateway cannot be asked about its models: {reason}", hint="see `aiinfra health`"
    )
