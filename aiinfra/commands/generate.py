"""`generate`: requests to the running MPC-API, with the key from .env."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import httpx

from aiinfra import keys
from aiinfra.connections import address_of, trust
from aiinfra.errors import AiinfraError, Code
from aiinfra.probes import IDENTITY_HEADER
from aiinfra.stack import MPC_API
from aiinfra.target import Target, running

Kind = Literal["script", "thumbnail-prompt", "metadata"]
# The path of a part of the answer, such as `sections.0.narration`, and more of its text; None: all of it is void.
Tell = Callable[[str, str | None], None]

# What MPC-API takes in one request.
BATCH_SIZE = 100


def generate(
    target: Target, kind: Kind, fields: Mapping[str, object], *, timeout: float, tell: Tell | None = None
) -> dict[str, Any]:
    """Return the `data` of MPC-API's answer. Fields that are None or empty are left out; `timeout` is in seconds.

    With `tell` the answer is streamed, and told as the model writes it.
    Raises AiinfraError (REQUEST_FAILED) with the API's own code, message and details, or NOT_RUNNING.
    """
    body = {name: value for name, value in fields.items() if value not in (None, [])}
    with _answer(target, kind, body, timeout=timeout, stream=tell is not None) as response:
        if tell is None or not response.headers.get("content-type", "").startswith("text/event-stream"):
            return _data(response.status_code, response.read())
        return _streamed(response, tell, time.monotonic() + timeout)


def generate_batch(
    target: Target, requests: Sequence[Mapping[str, object]], *, timeout: float
) -> Iterator[dict[str, Any]]:
    """Yield one result for each of `requests` ({"kind", "request"}), in order, as soon as its hundred is done.

    A result has `success` and either `data` or `error`. `timeout` (seconds) is for each hundred.
    Raises AiinfraError (REQUEST_FAILED) when a hundred is refused as a whole, or NOT_RUNNING.
    """
    for begin in range(0, len(requests), BATCH_SIZE):
        body = {"requests": list(requests[begin : begin + BATCH_SIZE])}
        with _answer(target, "batch", body, timeout=timeout, stream=False) as response:
            results = _data(response.status_code, response.read())["results"]
        for result in results:
            yield {**result, "index": begin + result["index"]}


@contextmanager
def _answer(
    target: Target, path: str, body: Mapping[str, object], *, timeout: float, stream: bool
) -> Iterator[httpx.Response]:
    """Give the answer of our own MPC-API, its body not read yet; every failure of the way to it becomes ours."""
    stack = running(target)
    endpoint = stack.endpoint(MPC_API)
    key = keys.load(target.directory, target.name).get("MPC_API_KEY", "")
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream" if stream else "application/json"}
    url = f"{address_of(endpoint)}/generate/{path}"
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False, verify=trust(endpoint) or False) as client,
            client.stream("POST", url, json=body, headers=headers) as response,
        ):
            if response.headers.get(IDENTITY_HEADER) != stack.identity.instance:
                raise AiinfraError(
                    Code.NOT_RUNNING,
                    f"something else answers on {endpoint.url}",
                    hint="start the stack: `aiinfra up`",
                )
            yield response
    except httpx.TimeoutException as error:
        raise _too_slow(timeout) from error
    except httpx.ConnectError as error:
        raise AiinfraError(
            Code.NOT_RUNNING, f"nothing answers on {endpoint.url}", hint="start the stack: `aiinfra up`"
        ) from error
    except httpx.HTTPError as error:
        raise _broken_off(str(error)) from error


def _streamed(response: httpx.Response, tell: Tell, deadline: float) -> dict[str, Any]:
    """Return the data of the last event, having told the others; `deadline` is on the monotonic clock."""
    name = ""
    for line in response.iter_lines():
        if time.monotonic() > deadline:
            raise _too_slow(None)
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data = json.loads(value)
            if name == "delta":
                tell(data["path"], data["text"])
            elif name == "reset":
                tell("", None)
            else:
                status = 200 if name == "result" else int(data["error"]["statusCode"])
                return _data(status, value.encode())
    raise _broken_off("the stream ended without a result")


def _too_slow(timeout: float | None) -> AiinfraError:
    within = "in time" if timeout is None else f"within {timeout:.0f} s"
    return AiinfraError(
        Code.REQUEST_FAILED, f"MPC-API did not answer {within}", hint="see why: `aiinfra health`, or set --timeout"
    )


def _broken_off(why: str) -> AiinfraError:
    return AiinfraError(
        Code.REQUEST_FAILED, f"MPC-API broke off its answer: {why}", hint="see why: `aiinfra logs mpc-api`"
    )


def _data(status: int, text: bytes) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        body = {}
    if httpx.codes.is_success(status) and isinstance(body.get("data"), dict):
        data: dict[str, Any] = body["data"]
        return data
    fault = body.get("error") or {}
    details = fault.get("details") or {}
    said = fault.get("message") or text[:200].decode(errors="replace")
    lines = [f"{one.get('path')}: {one.get('message')}" for one in details.get("fields", ())]
    lines += [f"{where}: {what}" for where, what in details.items() if isinstance(what, str)]
    raise AiinfraError(
        Code.REQUEST_FAILED,
        "\n".join([f"MPC-API answered {status} {fault.get('code', '')}: {said}", *lines]),
        hint="" if httpx.codes.is_client_error(status) else "see more: `aiinfra logs mpc-api litellm`",
        details={"status": status, "error": fault},
    )
