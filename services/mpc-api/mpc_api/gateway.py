"""Adapter: the LLM gateway, through the `openai` client; its failures become ours here."""

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from mpc_api.errors import ApiError, Code
from mpc_api.generation import Completion, Message

if TYPE_CHECKING:
    import openai

log = logging.getLogger("mpc_api")

_ERROR_CLASS = re.compile(r"litellm\.(?:exceptions\.)?([A-Z][A-Za-z]{2,60})\b")
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
        self.http = httpx2.AsyncClient(trust_env=False, verify=url.startswith("https:"), timeout=timeout)
        self._loading: asyncio.Task[openai.AsyncOpenAI] | None = None

    async def client(self) -> "openai.AsyncOpenAI":
        """The client, imported in a thread on first use: that takes longer than the whole start."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._load))
        return await asyncio.shield(self._loading)

    def _load(self) -> "openai.AsyncOpenAI":
        import openai  # noqa: PLC0415

        return openai.AsyncOpenAI(
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
        schema_name: str,
        schema: dict[str, object],
        request_id: str,
    ) -> Completion:
        """One chat completion in the shape of `schema`; raises ApiError for every way it can fail."""
        client = await self.client()
        import openai  # noqa: PLC0415

        chat: Any = client.chat.completions.with_raw_response  # its overloads want one TypedDict per role
        try:
            raw = await chat.create(
                model=model,
                messages=[{"role": message.role, "content": message.content} for message in messages],
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": schema_name, "strict": True, "schema": schema},
                },
                extra_headers={"X-Request-ID": request_id},
            )
        except openai.APITimeoutError as error:
            raise ApiError(Code.GATEWAY_TIMEOUT, "The model did not answer in time") from error
        except openai.APIStatusError as error:
            raise _refused(error.status_code, error.response) from error
        except openai.APIConnectionError as error:
            raise _unreachable() from error
        return _completion(raw.http_response.content)

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


def _completion(body: bytes) -> Completion:
    try:
        answer = _ChatCompletion.model_validate_json(body)
        message = answer.choices[0].message
    except (ValidationError, IndexError) as error:
        raise ApiError(Code.LLM_ERROR, "The gateway's answer is not a chat completion") from error
    if message.refusal:
        raise ApiError(Code.GENERATION_FAILED, "The model refused this request", {"refused": True})
    usage = answer.usage or _Tokens()
    return Completion(message.content or "", answer.model, usage.prompt_tokens, usage.completion_tokens)


def _unreachable() -> ApiError:
    return ApiError(Code.SERVICE_UNAVAILABLE, "The LLM gateway cannot be reached", headers={"Retry-After": "5"})


def _refused(status: int, response: httpx2.Response) -> ApiError:
    """Ours for the gateway's error answer; of its text only the class of error is passed on."""
    text = response.text[:20_000]
    found = _ERROR_CLASS.search(text)
    details: dict[str, object] = {"gatewayStatus": status}
    if found:
        details["errorClass"] = found[1]
    retry = _retry_after(response.headers.get("retry-after", ""), text)
    if status == 429 and _NO_DEPLOYMENTS not in text.lower():  # noqa: PLR2004
        return ApiError(Code.RATE_LIMIT_EXCEEDED, "The provider's rate limit is reached", details, retry)
    if status in {429, 503}:
        retry = retry or {"Retry-After": "5"}
        return ApiError(Code.SERVICE_UNAVAILABLE, "No model is available at the moment", details, retry)
    if status in {408, 504}:
        return ApiError(Code.GATEWAY_TIMEOUT, "The model did not answer in time", details)
    return ApiError(Code.LLM_ERROR, "The provider failed", details)


def _retry_after(header: str, text: str) -> dict[str, str]:
    if _RETRY_AFTER.fullmatch(header):
        return {"Retry-After": header}
    said = _TRY_AGAIN.search(text)
    return {"Retry-After": said[1]} if said else {}
