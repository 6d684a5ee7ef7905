"""`generate`: one request to the running MPC-API, with the key from .env."""

from collections.abc import Mapping
from typing import Any, Literal

import httpx

from aiinfra import keys
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import Target, running
from aiinfra.probes import IDENTITY_HEADER
from aiinfra.stack import MPC_API

Kind = Literal["script", "thumbnail-prompt", "metadata"]


def generate(target: Target, kind: Kind, fields: Mapping[str, object], *, timeout: float) -> dict[str, Any]:
    """Return the `data` of MPC-API's answer. Fields that are None or empty are left out; `timeout` is in seconds.

    Raises AiinfraError (REQUEST_FAILED) with the API's own code, message and details, or NOT_RUNNING.
    """
    stack = running(target)
    endpoint = stack.endpoint(MPC_API)
    key = keys.load(target.directory, target.name).get("MPC_API_KEY", "")
    try:
        response = httpx.post(
            f"{endpoint.url}/generate/{kind}",
            json={name: value for name, value in fields.items() if value not in (None, [])},
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout,
            trust_env=False,
        )
    except httpx.TimeoutException as error:
        raise AiinfraError(
            Code.REQUEST_FAILED,
            f"MPC-API did not answer within {timeout:.0f} s",
            hint="see why: `aiinfra health`",
        ) from error
    except httpx.ConnectError as error:
        raise AiinfraError(
            Code.NOT_RUNNING, f"nothing answers on {endpoint.url}", hint="start the stack: `aiinfra up`"
        ) from error
    except httpx.HTTPError as error:
        raise AiinfraError(
            Code.REQUEST_FAILED, f"MPC-API broke off its answer: {error}", hint="see why: `aiinfra logs mpc-api`"
        ) from error
    if response.headers.get(IDENTITY_HEADER) != stack.identity.instance:
        raise AiinfraError(
            Code.NOT_RUNNING,
            f"something else answers on {endpoint.url}",
            hint="start the stack: `aiinfra up`",
        )
    return _data(response)


def _data(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = {}
    if response.is_success and isinstance(body.get("data"), dict):
        data: dict[str, Any] = body["data"]
        return data
    fault = body.get("error") or {}
    details = fault.get("details") or {}
    said = fault.get("message") or response.text[:200]
    lines = [f"{one.get('path')}: {one.get('message')}" for one in details.get("fields", ())]
    lines += [f"{where}: {what}" for where, what in details.items() if isinstance(what, str)]
    raise AiinfraError(
        Code.REQUEST_FAILED,
        "\n".join([f"MPC-API answered {response.status_code} {fault.get('code', '')}: {said}", *lines]),
        hint="" if response.is_client_error else "see more: `aiinfra logs mpc-api litellm`",
        details={"status": response.status_code, "error": fault},
    )
