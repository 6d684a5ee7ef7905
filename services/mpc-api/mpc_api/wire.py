"""The shapes every message shares: camelCase names, UTC timestamps, the success envelope."""

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


def timestamp(seconds: float | None = None) -> str:
    """UTC with milliseconds and `Z`, of `seconds` since the epoch or of now."""
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
