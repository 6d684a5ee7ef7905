"""The model names of the bundled provider configs: here and nowhere else.

Looked up on 2026-11-28. Not used: gpt-4o, gpt-4o-mini, gpt-4.1 (shut down on 2027-01-14), gpt-5 (2026-12-11),
claude-sonnet-4-5 (2026-11-30).
"""

from typing import Annotated

from pydantic import Field

from aiinfra.section import Section, doc

ModelName = Annotated[str, Field(pattern=r"^[\w.:@/-]+$")]


class OpenAI(Section):
    large: ModelName = doc("gpt-6.1-sol", "OpenAI's model for scripts")
    small: ModelName = doc("gpt-6-luna", "OpenAI's model for everything else")
    embedding: ModelName = doc("text-embedding-3-small", "OpenAI's model for embeddings")


class Anthropic(Section):
    large: ModelName = doc("claude-sonnet-5-5", "Anthropic's model for scripts")
    small: ModelName = doc("claude-haiku-5-5", "Anthropic's model for everything else")


class Azure(Section):
    """Azure has deployments, which their owner names; these are the names to use."""

    large: ModelName = doc("gpt-5.6-sol", "name of your Azure deployment for scripts")
    small: ModelName = doc("gpt-5.6-luna", "name of your Azure deployment for everything else")


class Models(Section):
    """What the bundled provider configs ask the providers for."""

    openai: OpenAI = OpenAI()
    anthropic: Anthropic = Anthropic()
    azure: Azure = Azure()
