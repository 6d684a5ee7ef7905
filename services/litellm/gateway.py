"""What uvicorn serves: LiteLLM's own application, with what it lacks added when it starts and when it ends."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import litellm
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from litellm.proxy.proxy_server import app

from exchange import accepting_both

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# Together well below the 10 s after which Docker kills by default; requests are finished by then.
CALLBACK_SECONDS = 3.0
FLUSH_SECONDS = 5.0

_litellms_own = app.router.lifespan_context


@asynccontextmanager
async def _lifespan(application: Any) -> AsyncIterator[Any]:
    async with _litellms_own(application) as state:
        _keep_cached_answers_apart()
        yield state
    await _end_request_log()


def _keep_cached_answers_apart() -> None:
    """Answers cached under one master key are not given to another: LiteLLM's cache keys know no caller."""
    if litellm.cache and not litellm.cache.namespace:
        master_key = os.environ.get("LITELLM_MASTER_KEY", "").encode()
        litellm.cache.namespace = hashlib.blake2b(master_key, digest_size=8, person=b"aiinfra-cache").hexdigest()


async def _end_request_log() -> None:
    request_log = sys.modules.get("request_log")
    handler = vars(request_log).get("handler") if request_log else None
    if handler:
        # LiteLLM tells its loggers in the background, after the answer.
        with suppress(TimeoutError):
            await asyncio.wait_for(GLOBAL_LOGGING_WORKER.flush(), CALLBACK_SECONDS)
        await handler.close(FLUSH_SECONDS)


app.router.lifespan_context = _lifespan
app = accepting_both(app, os.environ)
