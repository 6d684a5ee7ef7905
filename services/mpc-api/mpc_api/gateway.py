"""Adapter: the LLM gateway, through the `openai` client; its failures become ours here."""

import asyncio
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from mpc_api.errors import ApiError, Code
from mpc_api.generation import Completion, FormatRefusedError, Message
from mpc_api.neighbour import Neighbour
from mpc_api.retrying import TransientError

if TYPE_CHECKING:
    import openai

log = logging.getLogger("mpc_api")

_ERROR_CLASS = re.compile(r"litellm\.(?:exceptions\.)?([A-Z][A-Za-z]{2,60})\b")
# What providers and LiteLLM say when they do not know the format that was asked for.
_FORMAT = re.compile(
    r"response_?format|json_?schema|json_object|json mode|structured[ _-]?outputs?|UnsupportedParams", re.IGNORECASE
)
_PROVIDER = re.compile(r"[a-z0-9_-]{1,40}")
_TRY_AGAIN = re.compile(r"try again in (\d{1,5})", re.IGNORECASE)
_RETRY_AFTER = re.compile(r"\d{1,6}|[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT")
# LiteLLM's 429 for "every deployment is cooling down": an outage, not too many requests of the caller.
_NO_DEPLOYMENTS = "no deployments available"


class Gateway:
    """The gateway at `url` (without /v1), called with `key`; `timeout` in seconds bounds each call."""

    def __init__(self, url: str, key: str, *, timeout: float) -> None:
        self._url = url
        self._key = key
        self._timeout = timeout
        # The gateway is a neighbour: a proxy from the environment is not meant for it. Plain http needs no
        # certificates, and loading them takes longer than everything else here.
        plain = not url.startswith("https:")
        transport = Neighbour(url) if plain else None
        self.http = httpx2.AsyncClient(trust_env=False, verify=not plain, timeout=timeout, transport=transport)
        self._loading: asyncio.Task[openai.AsyncOpenAI] | None = None

    async def client(self) -> "openai.AsyncOpenAI":
        """The client, imported in a thread on first use: that takes longer than the whole start."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._load))
        return await asyncio.shield(self._loading)

    def _load(self) -> "openai.AsyncOpenAI":
        from mpc_api.chat_client import ChatClient  # noqa: PLC0415

        return ChatClient(
            base_url=f"{self._url}/v1",
            api_key=self._key,
            max_retries=0,
            timeout=self._timeout,
            http_client=self.http,
        )

    async def ask(
        self,
        messages: list[Message],
        *,
        model: str,
        response_format: dict[str, object] | None,
        request_id: str,
        tell: Callable[[str], None] | None = None,
    ) -> Completion:
        """One chat completion, streamed when it is to be told; raises ApiError for every way it can fail.

        TransientError only when no model has worked on it; FormatRefusedError when it is the format that is not known.
        """
        client = await self.client()
        import openai  # noqa: PLC0415

        headers = {"X-Request-ID": request_id}
        asked: dict[str, Any] = {
            "model": model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
        }
        if response_format is not None:
            asked["response_format"] = response_format
        try:
            if tell is not None:
                chat: Any = client.chat.completions.with_raw_response  # its overloads want one TypedDict per role
                options = {"stream": True, "stream_options": {"include_usage": True}, "extra_headers": headers}
                raw = await chat.create(**asked, **options)
                return await _streamed(raw.parse(), raw.headers, tell)
            # Its typed method walks through the whole request for each call, the schema included.
            answer: httpx2.Response = await client.post(
                "/chat/completions", cast_to=httpx2.Response, content=to_json(asked), options={"headers": headers}
            )
        except openai.APITimeoutError as error:
            raise _too_slow(error) from error
        except openai.APIStatusError as error:
            text = error.response.text[:20_000]
            raise refused(error.status_code, text, error.response.headers.get("retry-after", "")) from error
        except openai.APIConnectionError as error:
            raise _unreachable(error) from error
        except openai.APIError as error:  # an error in the place of a stream's next piece
            raise _final(refused(_status_of(error.body), f"{error.message} {error.body}"[:20_000], "")) from error
        except httpx2.TimeoutException as error:
            raise _too_slow(error) from error
        except httpx2.HTTPError as error:
            raise ApiError(Code.LLM_ERROR, "The gateway broke off its answer") from error
        return _completion(answer.content, answer.headers)

    async def close(self) -> None:
        if self._loading is not None:
            await asyncio.wait([self._loading])
        await self.http.aclose()


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Answer(_Lenient):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Lenient):
    message: _Answer


class _Tokens(_Lenient):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _ChatCompletion(_Lenient):
    model: str
    choices: list[_Choice]
    usage: _Tokens | None = None


def _completion(body: bytes, headers: httpx2.Headers) -> Completion:
    try:
        answer = _ChatCompletion.model_validate_json(body)
        message = answer.choices[0].message
    except (ValidationError, IndexError) as error:
        raise _no_completion() from error
    if message.refusal:
        raise _model_refused()
    usage = answer.usage or _Tokens()
    provider = _provider(headers, answer.model)
    return Completion(message.content or "", answer.model, usage.prompt_tokens, usage.completion_tokens, provider)


async def _streamed(
    stream: "openai.AsyncStream[Any]", headers: httpx2.Headers, tell: Callable[[str], None]
) -> Completion:
    """The whole of a streamed completion; leaving early, by cancellation too, closes the connection."""
    text, refusal, model, usage, ended = "", "", "", _Tokens(), False
    try:
        async with stream:
            async for chunk in stream:
                model = chunk.model or model
                if chunk.usage:
                    usage = _Tokens.model_validate(chunk.usage, from_attributes=True)
                for choice in chunk.choices[:1]:
                    refusal += getattr(choice.delta, "refusal", None) or ""
                    ended = ended or bool(choice.finish_reason)
                    piece = choice.delta.content or ""
                    text += piece
                    if piece:
                        tell(piece)
    except (AttributeError, TypeError, ValueError) as error:  # the client checks nothing of what it reads
        raise _no_completion() from error
    if not ended:
        raise ApiError(Code.LLM_ERROR, "The gateway broke off its answer")
    if refusal:
        raise _model_refused()
    return Completion(text, model, usage.prompt_tokens, usage.completion_tokens, _provider(headers, model))


def _provider(headers: httpx2.Headers, model: str) -> str | None:
    """The provider as LiteLLM names it: before the slash of the model behind the alias, where it tells that."""
    for name in (headers.get("x-litellm-model-name", ""), model):
        before, slash, _ = name.partition("/")
        if slash and _PROVIDER.fullmatch(before):
            return before
    return None


def _no_completion() -> ApiError:
    return ApiError(Code.LLM_ERROR, "The gateway's answer is not a chat completion")


def _model_refused() -> ApiError:
    return ApiError(Code.GENERATION_FAILED, "The model refused this request", {"refused": True})


def _too_slow(error: Exception) -> ApiError:
    if isinstance(error.__cause__, httpx2.ConnectTimeout):
        return _unreachable(error)
    return ApiError(Code.GATEWAY_TIMEOUT, "The model did not answer in time")


def _unreachable(error: Exception) -> ApiError:
    """Safe to try again when there was not even a connection."""
    unsent = isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
    kind = TransientError if unsent else ApiError
    return kind(Code.SERVICE_UNAVAILABLE, "The LLM gateway cannot be reached", headers={"Retry-After": "5"})


def refused(status: int, text: str, retry_after: str) -> ApiError:
    """Ours for the gateway's error answer; of its text only the class of error is passed on."""
    found = _ERROR_CLASS.search(text)
    details: dict[str, object] = {"gatewayStatus": status}
    if found:
        details["errorClass"] = found[1]
    retry = _retry_after(retry_after, text)
    wait = float(retry["Retry-After"]) if retry.get("Retry-After", "").isdigit() else None
    if status == 429 and _NO_DEPLOYMENTS not in text.lower():  # noqa: PLR2004
        return TransientError(Code.RATE_LIMIT_EXCEEDED, "The provider's rate limit is reached", details, retry, wait)
    if status in {429, 503}:
        retry = retry or {"Retry-After": "5"}
        return TransientError(Code.SERVICE_UNAVAILABLE, "No model is available at the moment", details, retry, wait)
    if status in {408, 504}:
        return ApiError(Code.GATEWAY_TIMEOUT, "The model did not answer in time", details)
    if status in {400, 422} and _FORMAT.search(text):
        return FormatRefusedError(Code.LLM_ERROR, "The provider failed", details)
    return ApiError(Code.LLM_ERROR, "The provider failed", details)


def _final(error: ApiError) -> ApiError:
    """In the middle of a stream a model has worked already: not safe to try again."""
    if isinstance(error, TransientError):
        return ApiError(error.code, error.message, error.details, error.headers)
    return error


def _status_of(body: object) -> int:
    code = str(body.get("code", "")) if isinstance(body, dict) else ""
    return int(code) if re.fullmatch("[45][0-9][0-9]", code) else 502


def _retry_after(header: str, text: str) -> dict[str, str]:
    if _RETRY_AFTER.fullmatch(header):
        return {"Retry-After": header}
    said = _TRY_AGAIN.search(text)
    return {"Retry-After": said[1]} if said else {}
