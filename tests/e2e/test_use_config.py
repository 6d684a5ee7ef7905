"""Another provider config on a running stack: applied and proved, or refused while the old one serves on."""

from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Cli

EXTRA = "extends: mock\nmodel_list: [{model_name: extra, litellm_params: {model: mock/extra}}]\n"

# Our own check has nothing against it; LiteLLM does not start with it.
GROUP = "{group_name: a, models: [default], routing_strategy: least-busy}"
REFUSED = f"extends: mock\nrouter_settings: {{routing_groups: [{GROUP}, {GROUP}]}}\n"


def own(directory: Path, name: str, text: str) -> None:
    (directory / "litellm").mkdir(exist_ok=True)
    (directory / "litellm" / f"{name}.yaml").write_text(text, encoding="utf-8")


def aliases(cli: Cli) -> set[str]:
    return {one["alias"] for one in cli.ok("models", "--timeout", "60")["models"]}


def serves(cli: Cli, alias: str) -> bool:
    body = {"model": alias, "messages": [{"role": "user", "content": "hello"}]}
    headers = {"Authorization": f"Bearer {cli.keys()['LITELLM_MASTER_KEY']}"}
    answer = httpx.post(f"{cli.url('litellm')}/v1/chat/completions", json=body, headers=headers, timeout=60)
    return answer.status_code == httpx.codes.OK


@pytest.fixture(scope="module")
def switched(healthy: Cli) -> Cli:
    """The shared stack, serving `extra` in place of `mock`, with the config that LiteLLM refuses beside it."""
    own(healthy.directory, "extra", EXTRA)
    own(healthy.directory, "refused", REFUSED)
    result = healthy.ok("use-config", "extra")
    assert (result["applied"], result["before"]) == (True, "mock")
    assert "extra" in result["probed"]
    return healthy


def test_the_gateway_serves_what_was_chosen_and_every_command_knows_it(switched: Cli) -> None:
    assert "extra" in aliases(switched)
    assert serves(switched, "extra")
    active = [row["name"] for row in switched.ok("config", "list")["configs"] if row["active"]]
    assert active == ["extra"]


def test_a_config_that_litellm_refuses_leaves_the_old_one_serving_and_shows_its_words(switched: Cli) -> None:
    before = switched.ids()["litellm"]
    error = switched.fails("use-config", "refused", exit_code=1)
    assert error["code"] == "NOT_READY"
    assert "group names must be unique" in error["message"]
    assert "Traceback" not in error["message"]
    assert switched.ids()["litellm"] == before
    assert serves(switched, "extra")
    assert [row["name"] for row in switched.ok("config", "list")["configs"] if row["active"]] == ["extra"]


def test_litellm_itself_judges_a_config_that_is_only_checked(switched: Cli) -> None:
    error = switched.fails("use-config", "refused", "--check", exit_code=3)
    assert "LiteLLM itself refuses it" in error["message"]
    assert "group names must be unique" in error["message"]


def test_chat_streams_an_answer_and_counts_its_tokens(switched: Cli) -> None:
    done = switched.run("chat", "-m", "extra", "Tell me about volcanoes.")
    assert (done.returncode, bool(done.stdout.strip())) == (0, True)
    assert "tokens in" in done.stderr
    error = switched.fails("chat", "-m", "nonsense", "hello", exit_code=1)
    assert error["code"] == "REQUEST_FAILED"
