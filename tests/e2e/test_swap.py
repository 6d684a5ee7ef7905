"""What is replaced while requests run: none is lost, and what cannot serve never gets one."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from bench.load import Load
from tests.e2e.conftest import Cli, docker, left_of

# Nothing that can be seen before LiteLLM itself looks for the module.
BREAKING_CONFIG = """\
model_list:
  - model_name: default
    litellm_params: {model: mock/default}
litellm_settings:
  custom_provider_map:
    - {provider: mock, custom_handler: no_such_module.handler}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"""
PATIENCE = ("--timeout", "600")


@pytest.fixture(name="load")
def _load(healthy: Cli) -> Load:
    """16 clients, so slow that a slow machine keeps up with them."""
    keys = healthy.keys()
    gateway, api = healthy.url("litellm"), healthy.url("mpc-api")
    return Load(healthy.stack, gateway, api, keys["LITELLM_MASTER_KEY"], keys["MPC_API_KEY"], pause=2.0)


@pytest.fixture(name="default_settings")
def _default_settings(healthy: Cli) -> Iterator[None]:
    yield
    (healthy.directory / "aiinfra.yaml").unlink(missing_ok=True)
    healthy.ok("up", *PATIENCE)


def names(cli: Cli) -> list[str]:
    label = f"label=org.aiinfra.stack={cli.stack}"
    return sorted(docker("ps", "-a", "--format", "{{.Names}}", "--filter", label).split())


def until(holds: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def journal(cli: Cli) -> str:
    try:
        text = (cli.directory / ".aiinfra" / cli.stack / "journal.json").read_text(encoding="utf-8")
        return str(json.loads(text)["step"])
    except (FileNotFoundError, ValueError):
        return ""


def one_of_each_serves(cli: Cli) -> bool:
    return len(names(cli)) == 4 and cli.run("health").returncode == 0 and journal(cli) == ""


@pytest.mark.timeout(1800)
def test_ten_swaps_under_load_lose_cut_and_repeat_nothing(healthy: Cli, load: Load) -> None:
    before = set(names(healthy))
    with load.running():
        load.wait_for(20)
        for service in ("mpc-api", "litellm", "mpc-api", "mpc-api", "mpc-api", "litellm", *["mpc-api"] * 4):
            healthy.ok("restart", service, *PATIENCE)
        load.wait_for(20)
    assert (load.faults, load.twice) == ([], [])
    assert load.seen > 100
    assert {name for name in names(healthy) if "edge" in name or "redis" in name} <= before
    assert one_of_each_serves(healthy)


@pytest.mark.usefixtures("default_settings")
def test_a_broken_candidate_is_discarded_with_its_reason_and_what_served_never_stops(healthy: Cli, load: Load) -> None:
    before = healthy.ids()
    (healthy.directory / "litellm").mkdir(exist_ok=True)
    (healthy.directory / "litellm" / "broken.yaml").write_text(BREAKING_CONFIG, encoding="utf-8")
    with load.running():
        healthy.settings("provider_config: broken\n")
        error = healthy.fails("up", *PATIENCE, exit_code=1)
        load.wait_for(10)
    assert (load.faults, load.twice) == ([], [])
    assert (error["code"], error["details"]["service"]) == ("NOT_READY", "litellm")
    assert "it exited with code" in error["message"]
    assert error["details"]["log"]
    assert healthy.ids() == before
    healthy.settings("provider_config: mock\n")
    assert {row["action"] for row in healthy.ok("up", *PATIENCE)["services"]} == {"unchanged"}


def test_a_candidate_that_is_killed_is_discarded_and_the_old_one_serves(healthy: Cli) -> None:
    before = names(healthy)
    process = healthy.start("restart", "mpc-api", *PATIENCE)
    until(lambda: len(names(healthy)) > len(before))
    (candidate,) = set(names(healthy)) - set(before)
    until(lambda: docker("inspect", "--format", "{{.State.Running}}", candidate).strip() == "true")
    docker("kill", candidate)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 1, output
    assert "the new container did not become ready" in output
    assert "what served before still serves" in output
    assert names(healthy) == before
    assert healthy.run("health").returncode == 0


@pytest.mark.parametrize("step", ["begun", "attach", "drain"])
def test_a_swap_killed_at_any_step_is_put_in_order_by_the_next_command(healthy: Cli, step: str) -> None:
    process = healthy.start("restart", "mpc-api", *PATIENCE)
    until(lambda: journal(healthy) == step or process.poll() is not None)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    healthy.ok("up", *PATIENCE)
    assert one_of_each_serves(healthy)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_swap_leaves_what_served_before(healthy: Cli, number: signal.Signals, exit_code: int) -> None:
    before = names(healthy)
    process = healthy.start("restart", "mpc-api", *PATIENCE)
    until(lambda: journal(healthy) == "begun" and len(names(healthy)) > len(before))
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == exit_code, output
    assert "Traceback" not in output
    healthy.ok("up", *PATIENCE)
    assert one_of_each_serves(healthy)


def test_two_swaps_at_once_take_turns(healthy: Cli) -> None:
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(target=lambda: results.append(healthy.run("restart", "mpc-api", *PATIENCE))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.returncode for one in results] == [0, 0], [one.stderr for one in results]
    assert one_of_each_serves(healthy)


@pytest.mark.usefixtures("default_settings")
def test_in_place_requests_wait_while_the_only_container_is_replaced(healthy: Cli, load: Load) -> None:
    before = healthy.ids()["mpc-api"]
    healthy.settings("services: {mpc-api: {log_level: warning}}\n")
    with load.running():
        healthy.ok("up", "--in-place", *PATIENCE)
        load.wait_for(20)
    assert load.faults == []
    assert healthy.ids()["mpc-api"] != before
    assert one_of_each_serves(healthy)


def test_of_two_replicas_one_is_killed_and_only_what_was_in_flight_there_is_lost(healthy: Cli, load: Load) -> None:
    with load.running():
        healthy.ok("up", "--scale", "mpc-api=2", *PATIENCE)
        assert load.faults == []
        victim = next(name for name in names(healthy) if "mpc-api" in name)
        killed = time.monotonic()
        docker("kill", "-s", "KILL", victim)
        healthy.ok("up", "--scale", "mpc-api=2", *PATIENCE)
        load.wait_for(20)
        healthy.ok("up", *PATIENCE)
        load.wait_for(20)
    assert load.twice == []
    assert all(one.began < killed + 0.5 for one in load.faults), load.faults
    assert one_of_each_serves(healthy)


def test_an_edge_that_was_restarted_finds_what_stood_behind_it_whatever_its_address_is(healthy: Cli) -> None:
    ids = healthy.ids()
    docker("stop", "-t", "5", ids["mpc-api"], ids["edge"])
    docker("start", ids["edge"], ids["mpc-api"])
    url = healthy.url("mpc-api") + "/health"
    until(lambda: answers(url))
    assert healthy.ids() == ids
    assert left_of(healthy.stack)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.HTTPError:
        return False
