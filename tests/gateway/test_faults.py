"""What goes wrong at a provider, one kind after the other, and what the client gets.

The client waits no longer than `DEADLINE` (see stage.py): an answer that comes later fails the test by itself.
"""

from typing import Any

import httpx
import pytest

from tests.gateway.stage import Gateway, Stage, Upstream, deployment, eventually

TIMEOUT = 4
COOLDOWN = 3
FAILING = ("500", "429", "hang", "cut", "garbage", "wrong-shape")
FAILING_STREAMS = ("500", "429", "hang", "cut-early")
SECOND = "openai/second"


def unreachable(alias: str, base: str) -> dict[str, Any]:
    return {"model_name": alias, "litellm_params": {"model": "openai/first", "api_key": "sk-x", "api_base": base}}


ALIASES = ("first", "recovering", *(f"first-{name}" for name in {*FAILING, *FAILING_STREAMS}))
CONFIG = {
    "model_list": [
        *(deployment(alias, alias, "openai/first") for alias in ALIASES),
        unreachable("refusing", "http://upstream:1/v1"),
        unreachable("unknown-host", "http://provider.invalid/v1"),
        deployment("second", "second", SECOND),
        deployment("dead", "dead", "openai/first"),
        deployment("dead-too", "dead-too", "anthropic/claude-haiku-4-5"),
        deployment("short", "short", "openai/first"),
        deployment("short-claude", "short-claude", "anthropic/claude-haiku-4-5"),
        deployment("long", "long", "openai/long"),
        deployment("prudish", "prudish", "openai/first"),
        deployment("prudish-claude", "prudish-claude", "anthropic/claude-haiku-4-5"),
        deployment("lenient", "lenient", "openai/lenient"),
    ],
    "litellm_settings": {"num_retries": 0, "request_timeout": TIMEOUT},
    "router_settings": {
        "num_retries": 0,
        "allowed_fails": 1,
        "cooldown_time": COOLDOWN,
        "timeout": TIMEOUT,
        "fallbacks": [
            *({alias: ["second"]} for alias in (*ALIASES, "refusing", "unknown-host")),
            {"dead": ["dead-too"]},
        ],
        "context_window_fallbacks": [{"short": ["long"]}, {"short-claude": ["long"]}],
        "content_policy_fallbacks": [{"prudish": ["lenient"]}, {"prudish-claude": ["lenient"]}],
    },
    "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
}


@pytest.fixture(scope="module")
def gateway(stage: Stage, upstreams: Upstream) -> Gateway:
    assert upstreams
    return stage.gateway(CONFIG)


def text(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])


@pytest.mark.parametrize("behaviour", FAILING)
def test_the_second_answers_when_the_first_cannot(gateway: Gateway, upstream: Upstream, behaviour: str) -> None:
    name = f"first-{behaviour}"
    upstream.script(name, behaviour)
    assert text(gateway.chat(name)) == "second has read: hello, naïve ☂"
    assert len(upstream.received("second")) == 1


@pytest.mark.parametrize("behaviour", FAILING_STREAMS)
def test_a_stream_that_fails_before_its_first_word_is_the_seconds(
    gateway: Gateway, upstream: Upstream, behaviour: str
) -> None:
    name = f"first-{behaviour}"
    upstream.script(name, behaviour)
    streamed = gateway.chat(name, stream=True).text
    assert "second" in streamed
    assert "error" not in streamed
    assert streamed.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("alias", ["refusing", "unknown-host"])
def test_a_provider_that_cannot_be_reached_or_found_is_passed_over(
    gateway: Gateway, upstream: Upstream, alias: str
) -> None:
    assert text(gateway.chat(alias)).startswith("second")
    assert "second" in gateway.chat(alias, stream=True).text
    assert len(upstream.received("second")) == 2


def test_a_stream_cut_in_the_middle_never_ends_as_if_it_were_whole(gateway: Gateway, upstream: Upstream) -> None:
    upstream.script("first", "cut")
    streamed = gateway.chat("first", "one two three four five six", stream=True).text
    # Nobody can take back words that the client has; on a slow machine it may have none yet.
    assert ('"error"' in streamed) != ("second" in streamed)
    assert ('"finish_reason":"stop"' in streamed) == ("second" in streamed)


def test_a_stream_of_garbage_has_no_words(gateway: Gateway, upstream: Upstream) -> None:
    upstream.script("first", "garbage")
    streamed = gateway.chat("first", stream=True).text
    assert "content" not in streamed
    assert streamed.endswith("data: [DONE]\n\n")


def test_a_slow_drip_arrives_whole(gateway: Gateway, upstream: Upstream) -> None:
    upstream.script("second", "drip")
    assert text(gateway.chat("second")) == "second has read: hello, naïve ☂"
    assert gateway.chat("second", stream=True).text.count("data: ") >= 6


def test_both_dead_is_one_clear_error(gateway: Gateway, upstream: Upstream) -> None:
    upstream.script("dead", "500")
    upstream.script("dead-too", "529")
    for stream in (False, True):
        response = gateway.chat("dead", stream=stream)
        assert response.status_code >= 429
        error = response.json()["error"]
        assert error["message"]
        assert "Traceback" not in response.text


def test_a_first_that_failed_is_left_alone_for_a_while_and_used_again_after_it(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.script("recovering", "500")

    def left_alone() -> bool:
        before = len(upstream.received("recovering"))
        assert text(gateway.chat("recovering")).startswith("second")
        return len(upstream.received("recovering")) == before

    eventually(left_alone)
    upstream.script("recovering", "answer")
    eventually(lambda: text(gateway.chat("recovering")).startswith("first"))


@pytest.mark.parametrize("alias", ["short", "short-claude"])
def test_a_prompt_too_long_goes_to_the_model_that_takes_more(gateway: Gateway, upstream: Upstream, alias: str) -> None:
    upstream.script(alias, "context-length")
    assert text(gateway.chat(alias)).startswith("long has read")


@pytest.mark.parametrize("alias", ["prudish", "prudish-claude"])
def test_what_a_policy_refuses_goes_to_the_model_that_is_named_for_it(
    gateway: Gateway, upstream: Upstream, alias: str
) -> None:
    upstream.script(alias, "content-policy")
    assert text(gateway.chat(alias)).startswith("lenient has read")
