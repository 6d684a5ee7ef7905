"""A model provider that needs no account and no network: answers made from the prompt, and failures on demand.

LiteLLM loads it through `custom_provider_map: [{provider: mock, custom_handler: mock_provider.handler}]`. Every
model name answers, except those in `mock_provider.failures`, which fail on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_provider.provider import MockProvider

    handler: MockProvider

__all__ = ["handler"]


def __getattr__(name: str) -> object:
    """Makes `handler` when it is asked for, so that the rest of the package works where LiteLLM is not installed."""
    if name != "handler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mock_provider.provider import MockProvider  # noqa: PLC0415

    globals()[name] = MockProvider()
    return globals()[name]
