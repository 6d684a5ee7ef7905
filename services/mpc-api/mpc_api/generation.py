"""One draft: ask, check, ask once more with what was wrong, all inside one deadline."""

import asyncio
import time
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from mpc_api import prompts
from mpc_api.drafts import Draft, MetadataDraft, ScriptDraft, ThumbnailDraft, strict_schema
from mpc_api.errors import ApiError, Code
from mpc_api.wire import Usage

ATTEMPTS = 2
MAX_REPORTED = 20

AnyDraft = TypeVar("AnyDraft", bound=Draft)


@dataclass(frozen=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True)
class Completion:
    """One answer of a model: its text, the model's name as the gateway gives it, and the tokens it took."""

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int


class Task(Generic[AnyDraft]):
    """Something a model can be asked to write."""

    def __init__(self, name: str, draft: type[AnyDraft]) -> None:
        self.name = name
        self.draft = draft
        self.schema = strict_schema(draft)
        self.system = prompts.system(name)


SCRIPT = Task("script", ScriptDraft)
THUMBNAIL = Task("thumbnail", ThumbnailDraft)
METADATA = Task("metadata", MetadataDraft)


class Ask(Protocol):
    """One call to a model. Raises ApiError when the gateway or the provider fails."""

    async def __call__(self, messages: list[Message], *, schema_name: str, schema: dict[str, object]) -> Completion: ...


async def generate(
    task: Task[AnyDraft],
    wanted: BaseModel,
    *,
    ask: Ask,
    timeout: float,  # noqa: ASYNC109  # one deadline for all calls
) -> tuple[AnyDraft, Usage]:
    """A valid draft and what it cost, within `timeout` seconds.

    Raises ApiError: GENERATION_FAILED after two invalid answers, GATEWAY_TIMEOUT, and whatever `ask` raises.
    """
    try:
        async with asyncio.timeout(timeout):
            return await _generate(task, wanted, ask)
    except TimeoutError as error:
        message = "The model did not answer in time"
        raise ApiError(Code.GATEWAY_TIMEOUT, message, {"timeoutSeconds": timeout}) from error


async def _generate(task: Task[AnyDraft], wanted: BaseModel, ask: Ask) -> tuple[AnyDraft, Usage]:
    begun = time.perf_counter()
    messages = [Message("system", task.system), Message("user", prompts.request(wanted))]
    completions: list[Completion] = []
    problems: list[str] = []
    while len(completions) < ATTEMPTS:
        completion = await ask(messages, schema_name=task.name, schema=task.schema)
        completions.append(completion)
        try:
            draft = task.draft.model_validate_json(completion.text)
        except ValidationError as error:
            problems = _problems(error)
            messages += [Message("assistant", completion.text), Message("user", prompts.repair(problems))]
        else:
            return draft, _usage(completions, begun)
    raise ApiError(
        Code.GENERATION_FAILED,
        "The model's answer was not valid, twice",
        {"attempts": len(completions), "problems": problems},
    )


def _problems(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}" for one in found[:MAX_REPORTED]]


def _usage(completions: list[Completion], begun: float) -> Usage:
    return Usage(
        model=completions[-1].model,
        prompt_tokens=sum(one.prompt_tokens for one in completions),
        completion_tokens=sum(one.completion_tokens for one in completions),
        milliseconds=round((time.perf_counter() - begun) * 1000),
    )
