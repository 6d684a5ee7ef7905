"""The request log as LiteLLM sees it: a custom logger (https://docs.litellm.ai/docs/observability/custom_callback).

A request costs one entry in a dictionary and one in a buffer; everything else happens in a task of its own.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from litellm.integrations.custom_logger import CustomLogger

from request_log.buffer import Buffer
from request_log.row import Call, Failure, row
from request_log.settings import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from request_log.row import Row

_MAX_RUNNING = 10_000
_INTERNAL_ERROR = 500


class RequestLog(CustomLogger):  # type: ignore[misc] # LiteLLM's types are unknown where it is not installed
    def __init__(self) -> None:
        """Starts writing at once, so that a database that cannot be reached is told of at the start."""
        super().__init__()
        self._settings = read(os.environ)
        self._buffer = Buffer(self._settings.buffer_rows)
        self._running: OrderedDict[str, Call] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._start()

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> None:
        """Called before each call of a deployment: counts it."""
        call_id, kind = kwargs.get("litellm_call_id"), str(getattr(call_type, "value", call_type))
        if not call_id:
            return
        metadata = kwargs.get("litellm_metadata") or kwargs.get("metadata") or {}
        if call_id not in self._running:
            self._running[call_id] = Call(time.time(), metadata.get("model_group"), kind)
            if len(self._running) > _MAX_RUNNING:
                self._running.popitem(last=False)
        # One that LiteLLM translates (Anthropic's wire format for an OpenAI model) calls again as another kind.
        self._running[call_id].attempts += kind == self._running[call_id].call_type

    async def async_log_success_event(
        self,
        kwargs: dict[str, Any],
        response_obj: Any,  # noqa: ARG002 (LiteLLM names its arguments)
        start_time: Any,  # noqa: ARG002
        end_time: Any,  # noqa: ARG002
    ) -> None:
        """Called once for a request that was answered, after its last byte."""
        self._add(kwargs.get("standard_logging_object") or {})

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,  # noqa: ARG002
        traceback_str: str | None = None,  # noqa: ARG002
    ) -> None:
        """Called once for a request that failed in the end, also for one that never reached a deployment."""
        known = {
            "litellm_call_id": request_data.get("litellm_call_id"),
            "model": request_data.get("model"),
            "stream": request_data.get("stream"),
            "startTime": time.time(),
        }
        payload = {**known, **(request_data.get("standard_logging_object") or {})}
        status = str(getattr(original_exception, "status_code", None) or getattr(original_exception, "code", ""))
        failure = Failure(
            status=int(status) if status.isdecimal() else _INTERNAL_ERROR,
            kind=type(original_exception).__name__,
            words=str(getattr(original_exception, "message", None) or original_exception),
        )
        self._add({**payload, "endTime": time.time()}, failure)

    async def close(self, seconds: float) -> None:
        """Write what is left for at most so long; the gateway is going to stop."""
        if self._task:
            await self._writer.close(self._task, seconds)

    def _add(self, payload: Mapping[str, Any], failure: Failure | None = None) -> None:
        call = self._running.pop(str(payload.get("litellm_call_id")), None)
        made: Row = row(payload, call, failure=failure, prompts=self._settings.prompts)
        self._buffer.add(made)
        self._start()

    def _start(self) -> None:
        """Begin to write, once, where there is an event loop and somewhere to write to."""
        if self._task or not self._settings.url:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        from request_log.writer import Writer  # noqa: PLC0415 (the driver is only needed with a URL)

        self._writer = Writer(self._settings.url, self._buffer)
        self._task = loop.create_task(self._writer.run())
