"""What we know of LiteLLM is about the LiteLLM of the image."""

import re

from aiinfra.bundle import SERVICES
from aiinfra.providers.known import known, provider_of


def test_the_facts_are_of_the_version_that_the_image_has() -> None:
    requirements = (SERVICES / "litellm" / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.search(r"^litellm(?:\[proxy\])?==([\w.]+)", requirements, re.MULTILINE)
    assert pinned is not None
    assert known()["version"] == pinned[1], "run `python tools/litellm_facts.py`"


def test_a_provider_is_found_as_litellm_finds_it() -> None:
    assert provider_of("azure/my-deployment") == "azure"
    assert provider_of("gpt-4o") == "openai"
    assert provider_of("claude-haiku-5-5") == "anthropic"
    assert provider_of("ft:gpt-4o-2024-08-06:org::id") == "openai"
    assert provider_of("mock/x") == ""
    assert provider_of("mock/x", ["mock"]) == "mock"
    assert provider_of("nobody/x") == ""


def test_every_model_that_we_use_is_known_and_not_about_to_be_shut_down() -> None:
    from aiinfra.models import Models  # noqa: PLC0415

    found = Models()
    names = [*vars(found.openai).values(), *vars(found.anthropic).values()]
    assert [name for name in names if not provider_of(name)] == []
    assert [name for name in names if name in known()["deprecated"]] == []
