"""Which environment variables a provider config needs, and which of the user's its container gets."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from aiinfra.providers.known import known, provider_of
from aiinfra.providers.place import Path, Rows, Table, strings

# What the stack itself provides.
PROVIDED = ("REDIS_HOST", "REDIS_PORT")

# Where every request is logged, in any config, when the user sets it.
DATABASE_URL = "LITELLM_DATABASE_URL"

REFERENCE = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")

# Read by LiteLLM or our logger themselves, named in no config; passed on when the user sets them.
OPTIONAL = (
    "OPENAI_API_BASE",
    "OPENAI_BASE_URL",
    "OPENAI_ORGANIZATION",
    "ANTHROPIC_API_BASE",
    "ANTHROPIC_BASE_URL",
    "AZURE_API_BASE",
    "AZURE_API_VERSION",
    "SLACK_WEBHOOK_URL",
    DATABASE_URL,
    "REQUEST_LOG_PROMPTS",
    "REQUEST_LOG_BUFFER",
)

# What LiteLLM reads from the environment for a callback, with no word of it in the config.
CALLBACKS: Mapping[str, tuple[str, ...]] = {
    "langfuse": ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"),
    "langfuse_otel": ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"),
    "langsmith": ("LANGSMITH_API_KEY",),
    "datadog": ("DD_API_KEY", "DD_SITE"),
    "datadog_llm_observability": ("DD_API_KEY", "DD_SITE"),
    "sentry": ("SENTRY_DSN",),
    "braintrust": ("BRAINTRUST_API_KEY",),
    "helicone": ("HELICONE_API_KEY",),
    "lunary": ("LUNARY_PUBLIC_KEY",),
    "posthog": ("POSTHOG_API_KEY", "POSTHOG_API_URL"),
    "pagerduty": ("PAGERDUTY_API_KEY",),
    "openmeter": ("OPENMETER_API_KEY",),
    "lago": ("LAGO_API_BASE", "LAGO_API_KEY", "LAGO_API_EVENT_CODE"),
    "logfire": ("LOGFIRE_TOKEN",),
    "athina": ("ATHINA_API_KEY",),
    "gcs_bucket": ("GCS_BUCKET_NAME",),
    "argilla": ("ARGILLA_API_KEY", "ARGILLA_DATASET_NAME"),
}

# Optional for a callback, and passed on when set.
_CALLBACK_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "langfuse": ("LANGFUSE_HOST",),
    "langfuse_otel": ("LANGFUSE_HOST",),
    "langsmith": ("LANGSMITH_PROJECT", "LANGSMITH_BASE_URL"),
    "otel": ("OTEL_EXPORTER", "OTEL_ENDPOINT", "OTEL_HEADERS", "OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_ENDPOINT"),
}

_CALLBACK_KEYS = ("callbacks", "success_callback", "failure_callback", "service_callback", "audit_log_callbacks")

# Providers that any one of several variables is enough for, and those that may find what they need elsewhere.
_ANY_OF: Mapping[str, tuple[str, ...]] = {
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"),
}
_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "bedrock": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION_NAME", "AWS_REGION"),
    "sagemaker": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION_NAME", "AWS_REGION"),
    "vertex_ai": ("VERTEXAI_PROJECT", "VERTEXAI_LOCATION"),
    "ollama": ("OLLAMA_API_BASE",),
    "ollama_chat": ("OLLAMA_API_BASE",),
}
_ANSWERED_BY = ("api_key", "litellm_credential_name", "azure_ad_token", "client_secret", "custom_llm_provider")


@dataclass(frozen=True)
class Need:
    """Any one of `names` is needed for what stands at `path`; none is when `optional`."""

    path: Path
    names: tuple[str, ...]
    optional: bool = False


def needs(data: Table) -> list[Need]:
    """Return what a config refers to, and what LiteLLM reads by itself for what the config names."""
    found: dict[tuple[str, ...], Need] = {}
    for path, text in strings(data):
        if reference := REFERENCE.fullmatch(text):
            found.setdefault((reference[1],), Need(path, (reference[1],)))
    for need in (*_providers(data), *_callbacks(data)):
        found.setdefault(need.names, need)
    return list(found.values())


def _providers(data: Table) -> Iterator[Need]:
    models = data.get("model_list")
    for index, one in enumerate(models if isinstance(models, Rows) else ()):
        table = one.get("litellm_params") if isinstance(one, Table) else None
        model = table.get("model") if isinstance(table, Table) else None
        if not isinstance(model, str) or any(key in table for key in _ANSWERED_BY):  # type: ignore[operator]
            continue
        provider, path = provider_of(model), ("model_list", index, "litellm_params", "model")
        if provider in _ELSEWHERE:
            yield from (Need(path, (name,), optional=True) for name in _ELSEWHERE[provider])
        elif provider in _ANY_OF:
            yield Need(path, _ANY_OF[provider])
        else:
            # The address may stand in the config, or has a default.
            names = known()["providers"].get(provider, ())
            yield from (Need(path, (name,)) for name in names if name.endswith("_KEY"))


def callbacks(data: Table) -> Iterator[tuple[Path, str]]:
    """Yield every callback that a config names, with its path."""
    settings = data.get("litellm_settings")
    if not isinstance(settings, Table):
        return
    for key in _CALLBACK_KEYS:
        value = settings.get(key)
        for index, one in enumerate(value if isinstance(value, Rows) else ()):
            if isinstance(one, str):
                yield ("litellm_settings", key, index), one
        if isinstance(value, str):
            yield ("litellm_settings", key), value


def _callbacks(data: Table) -> Iterator[Need]:
    for path, name in callbacks(data):
        for variable in CALLBACKS.get(name, ()):
            yield Need(path, (variable,))
        for variable in _CALLBACK_OPTIONS.get(name, ()):
            yield Need(path, (variable,), optional=True)


def secrets(names: Iterable[str], values: Mapping[str, str]) -> dict[str, str]:
    """Return what LiteLLM's container gets of the user's variables, and nothing else."""
    wanted = dict.fromkeys((*names, *OPTIONAL))
    return {name: values[name] for name in wanted if values.get(name) and name not in PROVIDED}
