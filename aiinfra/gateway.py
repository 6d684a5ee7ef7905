"""The running gateway, asked as its clients ask it: what it serves, and one chat."""

import http.client
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiinfra.connections import connection_to
from aiinfra.errors import AiinfraError, Code
from aiinfra.probes import IDENTITY_HEADER
from aiinfra.stack import LITELLM, Stack

_SHOWN = 600
_DATA = "data: "


@dataclass(frozen=True)
class Piece:
    """A piece of a streamed answer; `usage` comes last, with the tokens."""

    text: str = ""
    model: str = ""
    usage: Mapping[str, Any] | None = None


def served(stack: Stack, key: str, *, timeout: float) -> tuple[str, ...]:
    """Return the aliases that the gateway serves, in its own words. Raises AiinfraError (REQUEST_FAILED)."""
    with asked(stack, key, "/v1/models", timeout) as response:
        return tuple(str(one["id"]) for one in json.loads(response.read())["data"])


def deployed(stack: Stack, key: str, *, timeout: float) -> tuple[str, ...]:
    """Return the alias of each deployment that the gateway serves. Raises AiinfraError (REQUEST_FAILED)."""
    with asked(stack, key, "/v1/model/info", timeout) as response:
        return tuple(str(one["model_name"]) for one in json.loads(response.read())["data"])


def once(stack: Stack, key: str, alias: str, *, timeout: float, embedding: bool = False) -> str:
    """Send one short request to an alias; return what was answered. Raises AiinfraError (REQUEST_FAILED)."""
    path = "/v1/embeddings" if embedding else "/v1/chat/completions"
    body: dict[str, Any] = {"model": alias, "input": "hello"} if embedding else _chat(alias, "Say hello.")
    with asked(stack, key, path, timeout, body) as response:
        answer = json.loads(response.read())
    if embedding:
        return f"{len(answer['data'][0]['embedding'])} numbers"
    return str(answer["choices"][0]["message"]["content"] or "")


def chat(stack: Stack, key: str, alias: str, text: str, *, timeout: float) -> Generator[Piece, None, None]:
    """Stream one answer. `timeout` is in seconds, for each piece. Raises AiinfraError (REQUEST_FAILED)."""
    body = {**_chat(alias, text), "stream": True, "stream_options": {"include_usage": True}}
    with asked(stack, key, "/v1/chat/completions", timeout, body) as response:
        for raw in response:
            line = raw.decode("utf-8", "replace").strip()
            if line.startswith(_DATA) and line != f"{_DATA}[DONE]":
                yield _piece(json.loads(line.removeprefix(_DATA)))


def _chat(alias: str, text: str) -> dict[str, Any]:
    return {"model": alias, "messages": [{"role": "user", "content": text}]}


def _piece(data: Mapping[str, Any]) -> Piece:
    if fault := data.get("error"):
        raise _refusal(f"the gateway broke off: {fault.get('message', fault)}"[:_SHOWN])
    choices = data.get("choices") or [{}]
    text = (choices[0].get("delta") or {}).get("content") or ""
    return Piece(text, str(data.get("model", "")), data.get("usage"))


@contextmanager
def asked(
    stack: Stack, key: str, path: str, timeout: float, body: Mapping[str, Any] | None = None
) -> Iterator[http.client.HTTPResponse]:
    """Open the gateway's answer to one request, which says 200. `timeout` is in seconds, for each wait.

    Raises AiinfraError (NOT_RUNNING, REQUEST_FAILED), also for an answer that is not what the reader expected.
    """
    endpoint = stack.endpoint(LITELLM)
    connection = connection_to(endpoint, timeout)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        connection.request("POST" if body else "GET", path, body=json.dumps(body) if body else None, headers=headers)
        response = connection.getresponse()
        if response.headers.get(IDENTITY_HEADER) != stack.identity.instance:
            raise _refusal(f"something else answers on {endpoint.url}")
        if response.status != http.client.OK:
            raise _refusal(f"the gateway answered {response.status}: {_message(response.read())}")
        yield response
    except ConnectionRefusedError as error:
        raise AiinfraError(
            Code.NOT_RUNNING, f"nothing answers on {endpoint.url}", hint="start the stack: `aiinfra up`"
        ) from error
    except TimeoutError as error:
        raise _refusal(f"the gateway did not answer within {timeout:.0f} s") from error
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
        raise _refusal(f"the gateway gave no usable answer: {error}") from error
    finally:
        connection.close()


def _message(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        fault = json.loads(text)["error"]
        return str(fault.get("message", fault))[:_SHOWN]
    except (ValueError, KeyError, TypeError, AttributeError):
        return text[:_SHOWN]


def _refusal(message: str) -> AiinfraError:
    return AiinfraError(Code.REQUEST_FAILED, message, hint="see more: `aiinfra logs litellm`")
