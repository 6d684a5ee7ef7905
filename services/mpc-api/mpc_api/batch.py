"""Many requests at once: each with its own result or error, in the order they came."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from mpc_api import answers
from mpc_api.errors import ApiError, Code, Problem
from mpc_api.failures import field_problems
from mpc_api.inputs import Input
from mpc_api.kinds import KINDS, AnyKind, KindName
from mpc_api.wire import Wire

MOST = 100


class BatchItem(Wire):
    """`request` is the body of `POST /generate/{kind}`; a request that is not valid fails alone."""

    model_config = ConfigDict(extra="forbid")

    kind: KindName
    request: dict[str, Any]


class BatchRequest(Wire):
    model_config = ConfigDict(extra="forbid")

    requests: list[BatchItem] = Field(min_length=1, max_length=MOST)


class BatchResult(Wire):
    """`data` is what the request alone would have got, or `error` is: the other one is null."""

    index: int
    kind: KindName
    success: bool
    data: answers.Script | answers.Thumbnail | answers.Metadata | None = None
    error: Problem | None = None


class BatchUsage(Wire):
    """The sum of the results' usage; `cached` counts those that came from the cache."""

    prompt_tokens: int
    completion_tokens: int
    milliseconds: int
    cached: int


class Batch(Wire):
    results: list[BatchResult]
    succeeded: int
    failed: int
    usage: BatchUsage
    kind: Literal["batch"] = "batch"


One = Callable[[AnyKind, Input], Awaitable[answers.Answer]]


async def run(
    items: Sequence[BatchItem], one: One, *, at_once: int, unforeseen: Callable[[Exception], ApiError]
) -> Batch:
    """Every item through `one`, at most `at_once` at the same time; `one` keeps the deadline."""
    begun = time.perf_counter()
    gate = asyncio.Semaphore(at_once)

    async def result(index: int, item: BatchItem) -> BatchResult:
        try:
            async with gate:
                data = await one(KINDS[item.kind], _validated(item))
        except ApiError as error:
            return _failed(index, item, error)
        except Exception as error:  # noqa: BLE001  # one fault of ours must not cost the others their answers
            return _failed(index, item, unforeseen(error))
        return BatchResult.model_construct(index=index, kind=item.kind, success=True, data=data, error=None)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(result(index, item)) for index, item in enumerate(items)]
    return _batch([task.result() for task in tasks], round((time.perf_counter() - begun) * 1000))


def _validated(item: BatchItem) -> Input:
    try:
        wanted: Input = KINDS[item.kind].request.model_validate(item.request)
    except ValidationError as error:
        problems: list[Mapping[str, object]] = [dict(one) for one in error.errors(include_url=False)]
        details = {"fields": field_problems([dict(one) for one in problems])}
        raise ApiError(Code.VALIDATION_ERROR, "Some fields are not valid", details) from error
    return wanted


def _failed(index: int, item: BatchItem, error: ApiError) -> BatchResult:
    return BatchResult(index=index, kind=item.kind, success=False, error=Problem.model_validate(error.body()))


def _batch(results: list[BatchResult], milliseconds: int) -> Batch:
    usages = [result.data.usage for result in results if result.data is not None]
    usage = BatchUsage(
        prompt_tokens=sum(one.prompt_tokens for one in usages),
        completion_tokens=sum(one.completion_tokens for one in usages),
        milliseconds=milliseconds,
        cached=sum(one.cached for one in usages),
    )
    return Batch.model_construct(
        results=results, succeeded=len(usages), failed=len(results) - len(usages), usage=usage, kind="batch"
    )
