"""Callbacks that cannot work: unknown, without their package in our image, or without their variables."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from aiinfra.bundle import SERVICES
from aiinfra.providers.fault import Fault, fault
from aiinfra.providers.known import did_you_mean, known
from aiinfra.providers.needs import callbacks
from aiinfra.providers.place import Path, Rows, Table, dotted, place_of

# The distribution that a callback imports, from its module in litellm/integrations; "" when it needs none.
_PACKAGES: Mapping[str, str] = {
    "prometheus": "prometheus-client",
    "otel": "opentelemetry-sdk",
    "langfuse": "langfuse",
    "langfuse_otel": "opentelemetry-sdk",
    "arize": "opentelemetry-sdk",
    "arize_phoenix": "opentelemetry-sdk",
    "langtrace": "opentelemetry-sdk",
    "weave_otel": "opentelemetry-sdk",
    "logfire": "opentelemetry-sdk",
    "signoz": "opentelemetry-sdk",
    "agentops": "opentelemetry-sdk",
    "mlflow": "mlflow",
    "sentry": "sentry-sdk",
    "slack": "slack-bolt",
    "lunary": "lunary",
    "wandb": "wandb",
    "traceloop": "traceloop-sdk",
    "supabase": "supabase",
    "dynamodb": "boto3",
    "s3": "boto3",
    "presidio": "",
}

# What litellm/proxy/utils.py and litellm/integrations/SlackAlerting look for.
_ALERTING = ("slack", "ms_teams", "webhook", "email", "sentry")

_OWN_MODULES = ("mock_provider", "request_log")


def faults(data: Table, values: Mapping[str, str]) -> Iterator[Fault]:
    for path, name in callbacks(data):
        if "." in name:
            yield from _module(data, path, name)
        elif name not in known()["callbacks"]:
            yield fault(data, path, f"LiteLLM has no callback '{name}'", did_you_mean(name, known()["callbacks"]))
        else:
            yield from _missing(data, path, name)
    settings = data.get("litellm_settings")
    providers = settings.get("custom_provider_map") if isinstance(settings, Table) else None
    for index, one in enumerate(providers if isinstance(providers, Rows) else ()):
        handler = one.get("custom_handler") if isinstance(one, Table) else None
        if isinstance(handler, str):
            yield from _module(data, ("litellm_settings", "custom_provider_map", index, "custom_handler"), handler)
    yield from _alerting(data, values)


def _module(data: Table, path: Path, name: str) -> Iterator[Fault]:
    if name.split(".", maxsplit=1)[0] not in _OWN_MODULES:
        problem = f"the module of '{name}' is not in the gateway's image, and LiteLLM does not start"
        yield fault(data, path, problem, f"ours are {', '.join(f'{one}.handler' for one in _OWN_MODULES)}")


def _missing(data: Table, path: Path, name: str) -> Iterator[Fault]:
    package = _PACKAGES.get(name, "")
    if package and package not in _installed():
        problem = f"the package '{package}' that '{name}' needs is not in the gateway's image"
        yield fault(data, path, problem, "remove it; `prometheus` works without another package")


def _alerting(data: Table, values: Mapping[str, str]) -> Iterator[Fault]:
    general = data.get("general_settings")
    if not isinstance(general, Table):
        return
    alerting = general.get("alerting")
    if isinstance(alerting, Rows) and "slack" in alerting and not values.get("SLACK_WEBHOOK_URL"):
        path: Path = ("general_settings", "alerting")
        yield _unset(data, path, "alerts to Slack need SLACK_WEBHOOK_URL, which is not set", "SLACK_WEBHOOK_URL")
    for index, one in enumerate(alerting if isinstance(alerting, Rows) else ()):
        if one not in _ALERTING:
            path = ("general_settings", "alerting", index)
            yield fault(data, path, f"LiteLLM sends no alerts to '{one}'", did_you_mean(str(one), _ALERTING))
    types = general.get("alert_types")
    for index, one in enumerate(types if isinstance(types, Rows) else ()):
        if one not in known()["alert_types"]:
            path = ("general_settings", "alert_types", index)
            yield fault(data, path, f"there is no alert type '{one}'", did_you_mean(str(one), known()["alert_types"]))


def _unset(data: Table, path: Path, problem: str, variable: str) -> Fault:
    place = place_of(data, path)
    return Fault(place.file, place.line, dotted(path), problem, f"set {variable}=... in .env", variable=variable)


@cache
def _installed() -> frozenset[str]:
    text = (SERVICES / "litellm" / "requirements.txt").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE))
