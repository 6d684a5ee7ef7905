"""One answer: ask, check, ask once more with what was wrong, all inside one deadline.

The seam for whatever stands around it (a cache, limits): everything that generates is called as `Generate`.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from mpc_api import prompts
from mpc_api.answers import Answer
from mpc_api.drafts import Draft
from mpc_api.errors import ApiError, Code
from mpc_api.extraction import json_object
from mpc_api.formats import Format, Formats
from mpc_api.inputs import Input
from mpc_api.kinds import AnyKind, KindName
from mpc_api.partial import Partial, Reset, Tell
from mpc_api.retrying import retrying
from mpc_api.wire import Usage

ATTEMPTS = 2
MAX_REPORTED = 20


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
    provider: str | None = None


class FormatRefusedError(ApiError):
    """The provider does not know the format that was asked for."""


class Ask(Protocol):
    """One call to a model. Raises ApiError when the gateway or the provider fails.

    With `tell` the answer is streamed, and told piece by piece as well.
    """

    async def __call__(
        self,
        messages: list[Message],
        *,
        model: str,
        response_format: dict[str, object] | None,
        request_id: str,
        tell: Callable[[str], None] | None,
    ) -> Completion: ...


@dataclass(frozen=True)
class Call:
    """Who asks and how: everything about a request that does not change its answer.

    `deadline` is on the event loop's clock. With `tell` the parts of the answer are told as they come.
    """

    request_id: str
    deadline: float
    tell: Tell | None = None
    reads_cache: bool = True
    writes_cache: bool = True
    identity: object = None


class Generate(Protocol):
    """An answer to a request; raises ApiError."""

    async def __call__(self, kind: AnyKind, wanted: Input, call: Call) -> Answer: ...


@dataclass
class _Work:
    """What one generation has so far; `best` is the valid draft with the fewest faults."""

    kind: AnyKind
    wanted: Input
    call: Call
    model: str
    format: Format
    completions: list[Completion] = field(default_factory=list)
    best: Draft | None = None
    faults: list[str] = field(default_factory=list)

    def offer(self, draft: Draft, faults: list[str]) -> None:
        if self.best is None or len(faults) <= len(self.faults):
            self.best, self.faults = draft, faults


class Generation:
    """Generates with `models`, one alias a kind; `timeout` (seconds) is only shown to callers.

    `secret` makes the marks around a request unguessable for whoever wrote it, and the same for the same request.
    """

    def __init__(self, ask: Ask, models: Mapping[KindName, str], *, timeout: float, secret: bytes) -> None:
        self._ask = ask
        self._models = models
        self._timeout = timeout
        self._secret = secret
        self._formats = Formats()

    def model(self, kind: AnyKind) -> str:
        """The alias that the gateway is asked for."""
        return self._models[kind.name]

    async def generate(self, kind: AnyKind, wanted: Input, call: Call) -> Answer:
        """An answer made from a valid draft.

        A draft in the wrong language or of the wrong length is asked for again once; when that is not better,
        or fails, the answer says so in its `checks`. Raises ApiError: GENERATION_FAILED after two invalid drafts,
        GATEWAY_TIMEOUT, and whatever the gateway fails with.
        """
        begun = time.perf_counter()
        model = self.model(kind)
        work = _Work(kind, wanted, call, model, self._formats.best(model))
        try:
            async with asyncio.timeout_at(call.deadline):
                await self._draft(work)
        except TimeoutError as error:
            if work.best is None:
                details = {"timeoutSeconds": self._timeout}
                raise ApiError(Code.GATEWAY_TIMEOUT, "The model did not answer in time", details) from error
        except ApiError:
            if work.best is None:
                raise
        answer: Answer = kind.finish(wanted, work.best, _usage(work.completions, begun))
        return answer

    async def _draft(self, work: _Work) -> None:
        messages = self._opening(work)
        problems: list[str] = []
        for attempt in range(ATTEMPTS):
            completion = await self._complete(work, messages)
            work.completions.append(completion)
            draft, problems = _read(work.kind, completion.text)
            if draft is not None:
                self._formats.found(work.model, work.format)
                problems = work.kind.faults(work.wanted, draft)
                work.offer(draft, problems)
            elif json_object(completion.text) is None:
                # It may not have been told the shape: some gateways drop the parameter without a word.
                work.format = work.format.weaker
            if not problems:
                return
            if work.call.tell and attempt + 1 < ATTEMPTS:
                work.call.tell(Reset("The first draft did not fit: the model is asked again"))
            messages = [*messages, Message("assistant", completion.text), Message("user", prompts.repair(problems))]
        if work.best is None:
            raise ApiError(
                Code.GENERATION_FAILED,
                "The model's answer was not valid, twice",
                {"attempts": ATTEMPTS, "problems": problems},
            )

    def _opening(self, work: _Work) -> list[Message]:
        fields = prompts.fields(work.wanted)
        given = f"{work.kind.name}\n{fields}".encode()
        mark = hmac.new(self._secret, given, hashlib.sha256).hexdigest()[:16]
        return [
            Message("system", work.kind.system + prompts.boundary(mark)),
            Message("user", prompts.request(fields, mark)),
        ]

    async def _complete(self, work: _Work, messages: list[Message]) -> Completion:
        """The next answer, in the strictest format that the provider takes."""
        while True:
            try:
                return await retrying(lambda: self._tell(work, messages), deadline=work.call.deadline)
            except FormatRefusedError:
                if work.format is Format.TEXT:
                    raise
                work.format = work.format.weaker
                self._formats.found(work.model, work.format)

    async def _tell(self, work: _Work, messages: list[Message]) -> Completion:
        system = Message("system", messages[0].content + work.format.words(work.kind.schema))
        partial = Partial(work.call.tell) if work.call.tell else None
        completion = await self._ask(
            [system, *messages[1:]],
            model=work.model,
            response_format=work.format.parameter(work.kind.schema_name, work.kind.schema),
            request_id=work.call.request_id,
            tell=partial.piece if partial else None,
        )
        if partial:
            partial.look()
        return completion


def _read(kind: AnyKind, text: str) -> tuple[Any, list[str]]:
    """The draft in `text`, or None and what is wrong with it."""
    found = json_object(text)
    if found is None:
        return None, ["answer: is not a JSON object"]
    try:
        return kind.draft.model_validate_json(found), []
    except ValidationError as error:
        return None, _problems(error)


def _problems(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}" for one in found[:MAX_REPORTED]]


def _usage(completions: list[Completion], begun: float) -> Usage:
    return Usage(
        model=completions[-1].model,
        provider=completions[-1].provider,
        prompt_tokens=sum(one.prompt_tokens for one in completions),
        completion_tokens=sum(one.completion_tokens for one in completions),
        milliseconds=round((time.perf_counter() - begun) * 1000),
    )
