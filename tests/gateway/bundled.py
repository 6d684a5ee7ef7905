"""The bundled provider configs, rendered as a stack renders them, with the upstreams in the providers' place."""

from collections.abc import Mapping
from pathlib import Path

from aiinfra import providers
from aiinfra.settings import Settings
from tests.gateway.stage import Gateway, Stage, eventually

VARIABLES = {
    "OPENAI_API_KEY": "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz",
    "OPENAI_API_BASE": "http://upstream:9000/openai/v1",
    "ANTHROPIC_API_KEY": "sk-ant-0123456789abcdefghijklmnopqrstuvwxyz",
    "ANTHROPIC_API_BASE": "http://upstream:9000/anthropic",
    "SLACK_WEBHOOK_URL": "http://upstream:9000/slack/webhook",
    "REDIS_PASSWORD": "redis-0123456789",
}
AZURE = {
    "AZURE_API_KEY": "0123456789abcdef0123456789abcdef",
    "AZURE_API_BASE": "http://upstream:9000/azure",
    "AZURE_API_VERSION": "2024-10-21",
}
MODELS = Settings().models


def bundled(stage: Stage, name: str, more: Mapping[str, str] | None = None) -> Gateway:
    """Start a gateway with a bundled config, and the Redis it needs; `more` are further variables."""
    stage.redis(VARIABLES["REDIS_PASSWORD"])
    values = {**VARIABLES, **(more or {})}
    config = providers.load(name, Path("/nowhere"), values, MODELS)
    secrets = config.secrets(values)
    gateway = stage.start(config.text, secrets, "--env=REDIS_HOST=redis", "--env=REDIS_PORT=6379")
    eventually(gateway.ready)
    return gateway
