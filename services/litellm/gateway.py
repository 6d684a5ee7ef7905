"""What uvicorn serves: LiteLLM's own application, which at its end also ends what we added to it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from litellm.proxy.proxy_server import app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# Together well below the 10 s after which Docker kills by default; requests are finished by then.
CALLBACK_SECONDS = 3.0
FLUSH_SECONDS = 5.0

_litellms_own = app.router.lifespan_context


@asynccontextmanager
async def _lifespan(application: Any) -> AsyncIterator[Any]:
    async with _litellms_own(application) as state:
        yield state
    await _end_request_log()


async def _end_request_log() -> None:
    request_log = sys.modules.get("request_log")
    handler = vars(request_log).get("handler") if request_log else None
    if handler:
        # LiteLLM tells its loggers in the background, after the answer.
        with suppress(TimeoutError):
            await asyncio.wait_for(GLOBAL_LOGGING_WORKER.flush(), CALLBACK_SECONDS)
        await handler.close(FLUSH_SECONDS)


app.router.lifespan_context = _lifespan
