"""Our own probe of one container, as the edge would send it requests: whether it serves what was rendered."""

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiinfra.edge import Edge
from aiinfra.engine import Container
from aiinfra.loading import Loaded
from aiinfra.stack import LITELLM, PUBLISHED

_TIMEOUT = 5.0
_WARM_UP_TIMEOUT = 30.0

# Costs nothing with a provider that is paid: a model that does not exist.
_NO_MODEL = "aiinfra-warm-up"


@dataclass(frozen=True)
class Fault:
    """Why a container cannot serve; `final` where waiting changes nothing."""

    text: str
    final: bool = False


def fault(edge: Edge, container: Container, loaded: Loaded) -> Fault | None:
    """Return why a container cannot serve; None when it can."""
    try:
        found = _gateway_fault if container.service == LITELLM else _api_fault
        return found(edge, container, loaded)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Fault(str(error) or type(error).__name__)


def warm_up(edge: Edge, container: Container, loaded: Loaded) -> None:
    """Let a gateway do once what its first request would wait for; a paid provider is not called."""
    if container.service != LITELLM:
        return
    chat = {"model": _free_model(loaded.provider.data), "messages": [{"role": "user", "content": "warm-up"}]}
    headers = {**_key(loaded), "Content-Type": "application/json"}
    try:
        _ask(
            edge,
            container,
            "POST",
            "/v1/chat/completions",
            headers=headers,
            body=json.dumps(chat),
            timeout=_WARM_UP_TIMEOUT,
        )
    except (OSError, http.client.HTTPException):
        return


def _gateway_fault(edge: Edge, container: Container, loaded: Loaded) -> Fault | None:
    said = {}
    for path in ("/v1/models", "/v1/model/info"):
        status, body = _ask(edge, container, "GET", path, headers=_key(loaded))
        if status != http.client.OK:
            return Fault(f"GET {path}: HTTP {status}: {body[:300]}")
        said[path] = json.loads(body)["data"]
    wrong = models_fault(loaded.provider.aliases, {one["id"] for one in said["/v1/models"]})
    # An alias with two deployments is served also when LiteLLM left out one of them.
    dropped = loaded.provider.dropped(one["model_name"] for one in said["/v1/model/info"])
    if dropped and not wrong:
        wrong = f"LiteLLM left out a deployment of {', '.join(dropped)}"
    # It reads its config before it listens: what it serves then, it serves for good.
    return Fault(wrong, final=True) if wrong else None


def models_fault(rendered: Sequence[str], served: set[str]) -> str:
    """Return how what a gateway serves differs from what was rendered; a wildcard stands for models unknown."""
    wanted = {name for name in rendered if "*" not in name}
    missing, more = sorted(wanted - served), sorted(served - wanted)
    if missing:
        return f"it does not serve {', '.join(missing)}, which the provider config has"
    if more and len(wanted) == len(set(rendered)):
        return f"it serves {', '.join(more)}, which the provider config does not have"
    return ""


def _api_fault(edge: Edge, container: Container, _loaded: Loaded) -> Fault | None:
    status, body = _ask(edge, container, "GET", "/health", headers={})
    if status != http.client.OK:
        return Fault(f"GET /health: HTTP {status}: {body[:300]}")
    said = json.loads(body).get("status")
    return None if said in ("healthy", "degraded") else Fault(f"GET /health: it says {said}")


def _ask(
    edge: Edge,
    container: Container,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    body: str = "",
    timeout: float = _TIMEOUT,
) -> tuple[int, str]:
    port = PUBLISHED[container.service]
    return edge.request(container.name, port, method, path, headers=headers, body=body, timeout=timeout)


def _key(loaded: Loaded) -> dict[str, str]:
    return {"Authorization": f"Bearer {loaded.values['LITELLM_MASTER_KEY']}"}


def _free_model(config: Mapping[str, Any]) -> str:
    for entry in config.get("model_list") or ():
        if str((entry.get("litellm_params") or {}).get("model", "")).startswith("mock/"):
            return str(entry["model_name"])
    return _NO_MODEL
