"""The bundled config `production-fallback`: fallbacks, cache and metrics."""

import re

import pytest

from tests.gateway.bundled import MODELS, bundled
from tests.gateway.stage import Gateway, Stage, Upstream, eventually


@pytest.fixture(scope="module")
def gateway(stage: Stage, upstreams: Upstream) -> Gateway:
    assert upstreams
    return bundled(stage, "production-fallback")


def metric(gateway: Gateway, name: str, **labels: str) -> float:
    """The sum over every series of a metric that has these labels; asks with the key, as a scraper must."""
    page = gateway.client.get("/metrics/").text
    found = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", page, re.MULTILINE)
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    return sum(float(value) for series, value in found if all(one in series for one in wanted))


def test_the_first_provider_answers_while_it_can(gateway: Gateway, upstream: Upstream) -> None:
    for alias, model in (("default", MODELS.openai.small), ("mpc-script", MODELS.openai.large)):
        assert f"{model} has read: hello" in gateway.chat(alias).text
    assert len(upstream.received("openai")) == 2
    assert upstream.received("anthropic") == []


def test_the_same_request_is_answered_from_the_cache(gateway: Gateway, upstream: Upstream) -> None:
    first = gateway.chat("default", "once and again").json()

    def from_cache() -> bool:
        before = len(upstream.received("openai"))
        assert gateway.chat("default", "once and again").json()["choices"] == first["choices"]
        return len(upstream.received("openai")) == before

    eventually(from_cache)


def test_tokens_and_latency_are_counted_per_model(gateway: Gateway, upstream: Upstream) -> None:
    model = {"requested_model": "mpc-thumbnail"}
    before = metric(gateway, "litellm_total_tokens_metric_total", **model)
    assert gateway.chat("mpc-thumbnail", "count me").status_code == 200
    assert upstream.received("openai")
    eventually(lambda: metric(gateway, "litellm_total_tokens_metric_total", **model) == before + 18)
    assert metric(gateway, "litellm_request_total_latency_metric_count", **model) >= 1
    assert gateway.client.get("/metrics/", headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize(
    ("behaviour", "alias", "answers"),
    [
        ("context-length", "mpc-metadata", MODELS.anthropic.large),
        ("content-policy", "mpc-metadata", MODELS.anthropic.small),
        ("hang", "openai-large", MODELS.anthropic.large),
        ("500", "default", MODELS.anthropic.small),
        ("429", "mpc-script", MODELS.anthropic.large),
    ],
)
def test_what_the_first_cannot_answer_the_other_does(
    gateway: Gateway, upstream: Upstream, behaviour: str, alias: str, answers: str
) -> None:
    upstream.script("openai", behaviour)
    assert f"{answers} has read: {behaviour}" in gateway.chat(alias, behaviour).text


def test_an_outage_is_one_clear_error_and_counted(gateway: Gateway, upstream: Upstream) -> None:
    for provider in ("openai", "anthropic"):
        upstream.script(provider, "500")
    response = gateway.chat("openai-small", "is anybody there")
    assert response.status_code >= 429
    assert response.json()["error"]["message"]
    failed = "litellm_proxy_failed_requests_metric_total"
    eventually(lambda: metric(gateway, failed, requested_model="openai-small") >= 1)
    assert metric(gateway, failed, requested_model="mpc-thumbnail") == 0


def test_an_outage_reaches_the_webhook_as_an_alert(gateway: Gateway, upstream: Upstream) -> None:
    for provider in ("openai", "anthropic"):
        upstream.script(provider, "500")

    def alerted() -> bool:
        # While all are cooling down LiteLLM says 429, which it takes for the client's fault, and alerts of nothing.
        gateway.chat("openai-small", "is anybody there")
        return bool(upstream.received("slack"))

    eventually(alerted)
    assert "LLM API call failed" in upstream.received("slack")[0]["body"]["text"]
