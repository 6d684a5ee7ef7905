"""Another provider config on a running stack: applied and proved, or refused while the old one serves on."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from bench.load import Load
from tests.e2e.conftest import Cli, docker

EXTRA = "extends: mock\nmodel_list: [{model_name: extra, litellm_params: {model: mock/extra}}]\n"

# Our own check has nothing against it; LiteLLM does not start with it.
GROUP = "{group_name: a, models: [default], routing_strategy: least-busy}"
REFUSED = f"extends: mock\nrouter_settings: {{routing_groups: [{GROUP}, {GROUP}]}}\n"

# Nobody answers there: what a provider's alias says only once somebody pays for a request.
PAID = (
    "extends: mock\n"
    "model_list:\n"
    "  - model_name: paid\n"
    "    litellm_params: {model: openai/m, api_base: 'http://127.0.0.1:9/v1', api_key: none}\n"
)


# LiteLLM loads it, and serves one of the two without a word: the other one is for another LITELLM_ENVIRONMENT.
_ONE = "{model_name: twice, litellm_params: {model: mock/one}}"
_OTHER = "{model_name: twice, litellm_params: {model: mock/two}, model_info: {supported_environments: [production]}}"
HALF = f"extends: mock\nmodel_list: [{_ONE}, {_OTHER}]\n"


def own(directory: Path, name: str, text: str) -> None:
    (directory / "litellm").mkdir(exist_ok=True)
    (directory / "litellm" / f"{name}.yaml").write_text(text, encoding="utf-8")


def aliases(cli: Cli) -> set[str]:
    return {one["alias"] for one in cli.ok("models", "--timeout", "60")["models"]}


def active(cli: Cli) -> str:
    (name,) = [row["name"] for row in cli.ok("config", "list")["configs"] if row["active"]]
    return str(name)


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
    own(healthy.directory, "paid", PAID)
    result = healthy.ok("use-config", "extra")
    assert (result["applied"], result["before"]) == (True, "mock")
    assert "extra" in result["probed"]
    return healthy


def test_the_gateway_serves_what_was_chosen_and_every_command_knows_it(switched: Cli) -> None:
    assert "extra" in aliases(switched)
    assert serves(switched, "extra")
    assert active(switched) == "extra"


def test_a_config_that_litellm_refuses_leaves_the_old_one_serving_and_shows_its_words(switched: Cli) -> None:
    before = switched.ids()["litellm"]
    error = switched.fails("use-config", "refused", exit_code=1)
    assert error["code"] == "NOT_READY"
    assert "group names must be unique" in error["message"]
    assert "Traceback" not in error["message"]
    assert switched.ids()["litellm"] == before
    assert serves(switched, "extra")
    assert active(switched) == "extra"


def test_a_config_of_which_litellm_serves_less_than_it_says_leaves_the_old_one_serving(switched: Cli) -> None:
    own(switched.directory, "half", HALF)
    before = switched.ids()["litellm"]
    error = switched.fails("use-config", "half", "--timeout", "600", exit_code=1)
    assert error["code"] == "NOT_READY"
    assert "LiteLLM left out a deployment of twice" in error["message"]
    assert "'extra' serves on" in error["hint"]
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


def test_what_is_in_use_already_is_proved_again_and_left_alone(switched: Cli) -> None:
    before = switched.ids()["litellm"]
    result = switched.ok("use-config", "extra", "--probe")
    assert (result["applied"], {one["action"] for one in result["services"]}) == (True, {"unchanged"})
    assert set(result["probed"]) == {"default", "mpc-script", "mpc-thumbnail", "mpc-metadata", "extra"}
    assert switched.ids()["litellm"] == before
    assert "served extra already" in switched.run("use-config", "extra").stderr


def test_what_costs_is_asked_for_and_a_failed_proof_brings_back_what_served(switched: Cli) -> None:
    before = switched.ids()["litellm"]
    error = switched.fails("use-config", "paid", "--probe", exit_code=5)
    assert (error["code"], error["details"]["items"]) == ("CONFIRMATION_NEEDED", ["paid"])
    assert switched.ids()["litellm"] == before
    # What is brought back is what served, not what its file says by now.
    own(switched.directory, "extra", EXTRA.replace("mock/extra", "mock/garbage"))
    error = switched.fails("use-config", "paid", "--probe", "--yes", "--timeout", "600", exit_code=1)
    own(switched.directory, "extra", EXTRA)
    assert error["code"] == "PROOF_FAILED"
    assert "a request for 'paid' failed" in error["message"]
    assert error["hint"].startswith("'extra' serves again; ")
    assert aliases(switched) >= {"extra"}
    assert "paid" not in aliases(switched)
    assert active(switched) == "extra"
    assert switched.ok("use-config", "extra", "--timeout", "600")["services"][1]["action"] == "unchanged"


def test_an_interrupted_switch_leaves_what_served(switched: Cli) -> None:
    journal = switched.directory / ".aiinfra" / switched.stack / "journal.json"
    process = switched.start("use-config", "mock", "--timeout", "600")
    end = time.monotonic() + 120
    while not journal.exists():
        assert time.monotonic() < end, "no swap began"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert active(switched) == "extra"
    assert serves(switched, "extra")
    assert {one["action"] for one in switched.ok("up", "--timeout", "600")["services"]} == {"unchanged"}


def test_two_switches_at_once_take_turns_and_lose_no_request(switched: Cli) -> None:
    keys = switched.keys()
    urls = (switched.url("litellm"), switched.url("mpc-api"))
    load = Load(switched.stack, *urls, keys["LITELLM_MASTER_KEY"], keys["MPC_API_KEY"], clients=2)
    with load.running():
        load.wait_for(8)
        both = [switched.start("use-config", name, "--timeout", "600") for name in ("-", "extra")]
        outputs = [process.communicate()[0] for process in both]
        load.wait_for(8)
    assert [process.returncode for process in both] == [0, 0], outputs
    # What failed since then is nothing to go back to.
    assert any("serves mock" in output for output in outputs)
    assert ("extra" in aliases(switched)) == (active(switched) == "extra")
    assert [f"{one.kind}: {one.fault}" for one in load.faults] == []


def test_a_gateway_that_does_not_run_starts_with_the_config_that_is_chosen(switched: Cli) -> None:
    docker("stop", "--time=1", switched.ids()["litellm"])
    name = "mock" if active(switched) == "extra" else "extra"
    assert switched.ok("use-config", name, "--timeout", "600")["applied"] is True
    assert ("extra" in aliases(switched)) == (name == "extra")


def test_a_stopped_stack_is_told_and_starts_with_it(switched: Cli) -> None:
    switched.ok("down")
    name = "mock" if active(switched) == "extra" else "extra"
    done = switched.run("use-config", name, "--probe")
    assert done.returncode == 0, done.stderr
    assert "takes effect with `aiinfra up`, and nothing was probed: the stack does not run" in done.stderr
    assert active(switched) == name
    assert switched.ok("up", "--timeout", "600")["provider_config"] == name
    assert ("extra" in aliases(switched)) == (name == "extra")
