"""Providers of one's own: an application whose first path segment names a provider, each with a script.

    POST /NAME/v1/chat/completions, /NAME/v1/embeddings      as OpenAI
    POST /NAME/v1/messages                                   as Anthropic
    POST /NAME/...                                           a webhook: remembered, answered with "ok"
    PUT  /-/script/NAME  {"behaviour": "500", "times": 2}    what the next requests meet (see behaviours.py)
    GET  /-/received/NAME                                    every request since the last reset
    DELETE /-/received                                       forget all requests and scripts

Runs under uvicorn with starlette, which the gateway's image has.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.upstreams import anthropic_answers, openai_answers
from tests.upstreams.behaviours import Script, perform

if TYPE_CHECKING:
    from starlette.requests import Request

received: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
scripts: defaultdict[str, Script] = defaultdict(Script)


async def put_script(request: Request) -> Response:
    scripts[request.path_params["name"]] = Script(**await request.json())
    return JSONResponse({})


async def get_received(request: Request) -> Response:
    return JSONResponse(received[request.path_params["name"]])


async def reset(_: Request) -> Response:
    received.clear()
    scripts.clear()
    return JSONResponse({})


async def provide(request: Request) -> Response:
    name, path = request.path_params["name"], request.path_params["path"]
    text = (await request.body()).decode()
    body = json.loads(text) if text else {}
    received[name].append(
        {"path": path, "query": dict(request.query_params), "headers": dict(request.headers), "body": body}
    )
    speaks = next((module for ending, module in SPEAKS.items() if path.endswith(ending)), None)
    if speaks is None:
        return PlainTextResponse("ok")
    return await perform(scripts[name].next(), speaks, path, body)


SPEAKS = {
    "chat/completions": openai_answers,
    "embeddings": openai_answers,
    "messages": anthropic_answers,
}
app = Starlette(
    routes=[
        Route("/-/script/{name}", put_script, methods=["PUT"]),
        Route("/-/received/{name}", get_received, methods=["GET"]),
        Route("/-/received", reset, methods=["DELETE"]),
        Route("/{name}/{path:path}", provide, methods=["POST"]),
    ]
)
