"""The shapes every message shares: camelCase names, UTC timestamps, the success envelope."""

import time
from datetime import UTC, datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

Data = TypeVar("Data", bound=BaseModel)


class Wire(BaseModel):
    """camelCase outside, snake_case inside; both are accepted on input."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class Usage(Wire):
    """What one answer cost. Tokens are summed over all calls made for it; `milliseconds` is our own clock.

    `provider` is null where the gateway does not tell it.
    """

    model: str
    provider: str | None = None
    prompt_tokens: int
    completion_tokens: int
    milliseconds: int
    cached: bool = False


class Success(Wire, Generic[Data]):
    success: Literal[True] = True
    message: str
    data: Data
    timestamp: str


_second = (0, "")


def timestamp(seconds: float | None = None) -> str:
    """UTC with milliseconds and `Z`, of `seconds` since the epoch or of now."""
    global _second  # noqa: PLW0603  # every line and every answer has one: the date is made once a second
    moment = time.time() if seconds is None else seconds
    whole = int(moment)
    if _second[0] != whole or not _second[1]:
        _second = (whole, datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    return f"{_second[1]}.{int((moment - whole) * 1000):03}Z"
