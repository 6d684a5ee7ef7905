"""What every section of aiinfra.yaml has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A mapping of known keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, data: Any) -> Any:  # noqa: ANN401
        """`ports:` with everything below it commented out is None in YAML."""
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


def doc(default: Any, meaning: str, alias: str | None = None) -> Any:  # noqa: ANN401 - pydantic's own type
    """Return a key's default and its meaning, from which the reference is generated."""
    return Field(default=default, description=meaning, alias=alias)
