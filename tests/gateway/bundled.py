"""The bundled provider configs, rendered as a stack renders them, with the upstreams in the providers' place."""

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
MODELS = Settings().models


def bundled(stage: Stage, name: str) -> Gateway:
    """Start a gateway with a bundled config, and the Redis it needs."""
    stage.redis(VARIABLES["REDIS_PASSWORD"])
    config = providers.load(name, Path("/nowhere"), VARIABLES, MODELS)
    secrets = config.secrets(VARIABLES)
    gateway = stage.start(config.text, secrets, "--env=REDIS_HOST=redis", "--env=REDIS_PORT=6379")
    eventually(gateway.ready)
    return gateway
