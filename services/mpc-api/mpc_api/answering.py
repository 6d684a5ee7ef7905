"""One request answered: the call that it makes, and the whole object that the caller gets."""

import asyncio

from starlette.datastructures import State

from mpc_api.answers import Answer
from mpc_api.caching import wishes
from mpc_api.exchange import Exchange
from mpc_api.generation import Call
from mpc_api.inputs import Input
from mpc_api.kinds import AnyKind
from mpc_api.partial import Tell
from mpc_api.wire import Success, timestamp


async def success(
    kind: AnyKind, wanted: Input, exchange: Exchange, state: State, tell: Tell | None = None
) -> Success[Answer]:
    """The answer with what goes around it; raises ApiError. `state` is that of the application."""
    answer: Answer = await state.generate(kind, wanted, call(exchange, state, tell))
    exchange.fields |= answer.usage.model_dump(by_alias=True, exclude={"milliseconds"})
    envelope: type[Success[Answer]] = kind.envelope
    return envelope.model_construct(message=kind.message, data=answer, timestamp=timestamp())


def call(exchange: Exchange, state: State, tell: Tell | None = None) -> Call:
    reads, writes = wishes(exchange.head.cache_control)
    return Call(
        request_id=exchange.request_id,
        deadline=asyncio.get_running_loop().time() + state.settings.request_timeout,
        tell=tell,
        reads_cache=reads,
        writes_cache=writes,
        identity=exchange.key,
    )
