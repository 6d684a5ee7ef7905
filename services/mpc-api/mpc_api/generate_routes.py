"""POST /generate/...: one request, streamed or not, or a batch of them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, Security
from fastapi.security import HTTPBearer

from mpc_api import answering, answers, batch
from mpc_api.boundary import internal, note
from mpc_api.errors import ApiError, Code, documented
from mpc_api.event_stream import MEDIA_TYPE, Send, event, event_stream
from mpc_api.inputs import Input, MetadataRequest, ScriptRequest, ThumbnailRequest
from mpc_api.kinds import METADATA, SCRIPT, THUMBNAIL, AnyKind
from mpc_api.partial import Delta, Reset
from mpc_api.wire import Success, timestamp

_FAILURES = documented(
    Code.BAD_REQUEST,
    Code.UNAUTHORIZED,
    Code.FORBIDDEN,
    Code.REQUEST_TIMEOUT,
    Code.PAYLOAD_TOO_LARGE,
    Code.VALIDATION_ERROR,
    Code.RATE_LIMIT_EXCEEDED,
    Code.GENERATION_FAILED,
    Code.INTERNAL_ERROR,
    Code.LLM_ERROR,
    Code.SERVICE_UNAVAILABLE,
    Code.GATEWAY_TIMEOUT,
)
_EVENTS = """\
Events: `delta` (`path`, `text`: more text of a part of the answer, as the model writes it), `reset` (what came so far
is void, the model is asked again), then `result` (the same object as without streaming) or `error` (the same as any
failure). Lines that begin with a colon keep the connection alive."""
_EVENT_SCHEMA = {
    "type": "object",
    "description": _EVENTS,
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["delta", "reset", "result", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The answer", "content": {MEDIA_TYPE: {"schema": _EVENT_SCHEMA}}}
}

Stream = Annotated[bool, Query(description="Answer in server-sent events; `Accept: text/event-stream` does the same")]

router = APIRouter(
    prefix="/generate",
    dependencies=[Security(HTTPBearer(auto_error=False))],  # for the document: the gate does the checking
    responses=_FAILURES,
)


@router.post("/script", response_model=Success[answers.Script], responses=_STREAMED)
async def script(wanted: ScriptRequest, request: Request, *, stream: Stream = False) -> Response:
    """Write a video script."""
    return await _answer(SCRIPT, wanted, request, stream=stream)


@router.post("/thumbnail-prompt", response_model=Success[answers.Thumbnail], responses=_STREAMED)
async def thumbnail_prompt(wanted: ThumbnailRequest, request: Request, *, stream: Stream = False) -> Response:
    """Write a prompt for an image model."""
    return await _answer(THUMBNAIL, wanted, request, stream=stream)


@router.post("/metadata", response_model=Success[answers.Metadata], responses=_STREAMED)
async def metadata(wanted: MetadataRequest, request: Request, *, stream: Stream = False) -> Response:
    """Write title, description, tags, hashtags and chapters."""
    return await _answer(METADATA, wanted, request, stream=stream)


@router.post("/batch", response_model=Success[batch.Batch])
async def many(wanted: batch.BatchRequest, request: Request) -> Response:
    """Up to 100 requests of any kind: each gets its own result or error, in the same order."""
    call = answering.call(request.state.exchange, request.app.state)

    async def one(kind: AnyKind, item: Input) -> answers.Answer:
        await request.app.state.admit(kind, call)
        answer: answers.Answer = await request.app.state.generate(kind, item, call)
        return answer

    done = await batch.run(
        wanted.requests,
        one,
        at_once=request.app.state.settings.batch_concurrency,
        unforeseen=lambda error: internal(request.state.exchange, error),
    )
    usage = done.usage.model_dump(by_alias=True, exclude={"milliseconds"})
    request.state.exchange.fields |= usage | {"items": len(done.results), "failed": done.failed}
    message = f"{done.succeeded} of {len(done.results)} generated"
    return _json(Success[batch.Batch].model_construct(message=message, data=done, timestamp=timestamp()))


async def _answer(kind: AnyKind, wanted: Input, request: Request, *, stream: bool) -> Response:
    if stream or MEDIA_TYPE in request.headers.get("accept", ""):
        return event_stream(lambda send: _streamed(kind, wanted, request, send))
    return _json(await answering.success(kind, wanted, request.state.exchange, request.app.state))


async def _streamed(kind: AnyKind, wanted: Input, request: Request, send: Send) -> None:
    """The events of one answer; a failure is the last of them."""

    def tell(part: Delta | Reset) -> None:
        if isinstance(part, Delta):
            send(event("delta", {"path": part.path, "text": part.text}))
        else:
            send(event("reset", {"reason": part.reason}))

    exchange = request.state.exchange
    try:
        success = await answering.success(kind, wanted, exchange, request.app.state, tell)
    except ApiError as error:
        note(exchange, error)
        send(event("error", {"error": error.body()}))
    except Exception as error:  # noqa: BLE001  # the status is out already
        send(event("error", {"error": internal(exchange, error).body()}))
    else:
        send(event("result", success.model_dump_json()))


def _json(success: Success[answers.Answer] | Success[batch.Batch]) -> Response:
    return Response(success.model_dump_json(), media_type="application/json")
