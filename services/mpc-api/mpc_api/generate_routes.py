"""POST /generate/...: a request becomes a draft, a draft an answer."""

from typing import TypeVar

from fastapi import APIRouter, Request, Security
from fastapi.security import HTTPBearer

from mpc_api import answers
from mpc_api.drafts import Draft
from mpc_api.errors import Code, documented
from mpc_api.generation import METADATA, SCRIPT, THUMBNAIL, Completion, Message, Task, generate
from mpc_api.inputs import Input, MetadataRequest, ScriptRequest, ThumbnailRequest
from mpc_api.keys import KeyedRoute
from mpc_api.wire import Data, Success, Usage, timestamp

AnyDraft = TypeVar("AnyDraft", bound=Draft)

router = APIRouter(
    prefix="/generate",
    route_class=KeyedRoute,
    dependencies=[Security(HTTPBearer(auto_error=False))],  # for the document: KeyedRoute does the checking
    responses=documented(
        Code.BAD_REQUEST,
        Code.UNAUTHORIZED,
        Code.PAYLOAD_TOO_LARGE,
        Code.VALIDATION_ERROR,
        Code.RATE_LIMIT_EXCEEDED,
        Code.GENERATION_FAILED,
        Code.INTERNAL_ERROR,
        Code.LLM_ERROR,
        Code.SERVICE_UNAVAILABLE,
        Code.GATEWAY_TIMEOUT,
    ),
)


@router.post("/script")
async def script(wanted: ScriptRequest, request: Request) -> Success[answers.Script]:
    """Write a video script."""
    model = request.app.state.settings.script_model
    draft, usage = await _draft(SCRIPT, wanted, request, model)
    return _success("Script generated", answers.script(wanted, draft, usage))


@router.post("/thumbnail-prompt")
async def thumbnail_prompt(wanted: ThumbnailRequest, request: Request) -> Success[answers.Thumbnail]:
    """Write a prompt for an image model."""
    model = request.app.state.settings.thumbnail_model
    draft, usage = await _draft(THUMBNAIL, wanted, request, model)
    return _success("Thumbnail prompt generated", answers.thumbnail(wanted, draft, usage))


@router.post("/metadata")
async def metadata(wanted: MetadataRequest, request: Request) -> Success[answers.Metadata]:
    """Write title, description, tags, hashtags and chapters."""
    model = request.app.state.settings.metadata_model
    draft, usage = await _draft(METADATA, wanted, request, model)
    return _success("Metadata generated", answers.metadata(wanted, draft, usage))


async def _draft(task: Task[AnyDraft], wanted: Input, request: Request, model: str) -> tuple[AnyDraft, Usage]:
    exchange = request.state.exchange

    async def ask(messages: list[Message], *, schema_name: str, schema: dict[str, object]) -> Completion:
        completion: Completion = await request.app.state.gateway.ask(
            messages, model=model, schema_name=schema_name, schema=schema, request_id=exchange.request_id
        )
        return completion

    draft, usage = await generate(task, wanted, ask=ask, timeout=request.app.state.settings.request_timeout)
    exchange.fields |= usage.model_dump(by_alias=True, exclude={"milliseconds"})
    return draft, usage


def _success(message: str, data: Data) -> Success[Data]:
    return Success(message=message, data=data, timestamp=timestamp())
