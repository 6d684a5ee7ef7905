"""What is replaced while requests run: none is lost, and what cannot serve never gets one."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from bench.load import Load
from tests.e2e.conftest import Cli, docker
from tests.e2e.freezer import Freezer

# Our own check has nothing against it; LiteLLM does not start with it.
GROUP = "{group_name: a, models: [default], routing_strategy: least-busy}"
BREAKING_CONFIG = f"extends: mock\nrouter_settings: {{routing_groups: [{GROUP}, {GROUP}]}}\n"
CHANGED = "services: {mpc-api: {log_level: warning}}\n"
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
    return len(names(cli)) == 4 and cli.run("health", "--wait").returncode == 0 and journal(cli) == ""


def killed_at(cli: Cli, step: str, *command: str) -> None:
    """Run a command until it is at a step of a swap, and end it there."""
    process = cli.start(*command, *PATIENCE)
    until(lambda: journal(cli) == step or process.poll() is not None)
    os.killpg(process.pid, signal.SIGKILL)
    output, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL, output


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
    kept = healthy.ok("history")["generations"]
    assert [(row["provider_config"], row["healthy"]) for row in kept[:2]] == [("broken", False), ("mock", True)]
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
    assert "the new container of " in output
    assert "what served before still serves" in output
    assert names(healthy) == before
    assert healthy.run("health").returncode == 0


@pytest.mark.parametrize(
    ("service", "step"),
    [("mpc-api", "begun"), ("mpc-api", "attach"), ("mpc-api", "drain"), ("litellm", "begun"), ("litellm", "drain")],
)
def test_a_swap_killed_at_any_step_is_put_in_order_by_the_next_command(healthy: Cli, service: str, step: str) -> None:
    killed_at(healthy, step, "restart", service)
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
    healthy.settings(CHANGED)
    with load.running():
        healthy.ok("up", "--in-place", *PATIENCE)
        load.wait_for(20)
    assert load.faults == []
    assert healthy.ids()["mpc-api"] != before
    assert one_of_each_serves(healthy)


@pytest.mark.usefixtures("default_settings")
def test_requests_that_a_killed_in_place_holds_back_are_let_go_by_the_next_command(healthy: Cli) -> None:
    healthy.settings(CHANGED)
    killed_at(healthy, "held", "up", "--in-place")
    answers: list[int] = []
    url = healthy.url("mpc-api") + "/health/live"
    client = threading.Thread(target=lambda: answers.append(httpx.get(url, timeout=600).status_code))
    client.start()
    healthy.ok("up", *PATIENCE)
    client.join(60)
    assert answers
    assert httpx.get(url, timeout=60).status_code == 200
    assert one_of_each_serves(healthy)


def test_of_two_replicas_one_is_killed_and_only_what_was_in_flight_there_is_lost(healthy: Cli, load: Load) -> None:
    with load.running():
        healthy.ok("up", "--scale", "mpc-api=2", *PATIENCE)
        assert load.faults == []
        victim = next(name for name in names(healthy) if "mpc-api" in name)
        docker("kill", "-s", "KILL", victim)
        killed = time.monotonic()
        healthy.ok("up", "--scale", "mpc-api=2", *PATIENCE)
        load.wait_for(20)
        healthy.ok("up", *PATIENCE)
        load.wait_for(20)
    assert load.twice == []
    assert all(one.began < killed + 0.5 for one in load.faults), load.faults
    assert one_of_each_serves(healthy)


def test_an_edge_that_dies_in_the_middle_of_a_swap_comes_back_and_the_next_command_finishes(healthy: Cli) -> None:
    edge = healthy.ids()["edge"]
    process = healthy.start("restart", "mpc-api", *PATIENCE)
    until(lambda: journal(healthy) == "attach" or process.poll() is not None)
    # As a crash: what `docker kill` ends stays down.
    os.kill(int(docker("inspect", "--format", "{{.State.Pid}}", edge)), signal.SIGKILL)
    output, _ = process.communicate(timeout=600)
    assert process.returncode in (0, 1), output
    assert "Traceback" not in output
    healthy.ok("up", *PATIENCE)
    assert healthy.ids()["edge"] == edge
    assert one_of_each_serves(healthy)


def test_an_edge_that_is_frozen_in_the_middle_of_a_swap_is_named_and_the_next_command_finishes(healthy: Cli) -> None:
    edge, url = healthy.ids()["edge"], healthy.url("mpc-api") + "/health/live"
    process = healthy.start("restart", "mpc-api", *PATIENCE)
    until(lambda: journal(healthy) == "attach" or process.poll() is not None)
    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            docker("pause", edge)
            waiting = pool.submit(httpx.get, url, timeout=600)
            output, _ = process.communicate(timeout=600)
            assert not waiting.done()
        finally:
            docker("unpause", edge)
        assert waiting.result().status_code == 200
    assert process.returncode == 1, output
    assert "is paused" in output
    healthy.ok("up", *PATIENCE)
    assert healthy.ids()["edge"] == edge
    assert one_of_each_serves(healthy)


def test_an_engine_that_hangs_when_the_old_container_is_to_stop_is_told_and_the_next_command_finishes(
    healthy: Cli, tmp_path: Path
) -> None:
    freezer = Freezer(tmp_path / "engine.sock", b"/stop")
    try:
        host = f"unix://{tmp_path}/engine.sock"
        error = healthy.fails("restart", "mpc-api", *PATIENCE, exit_code=4, DOCKER_HOST=host)
    finally:
        freezer.close()
    assert freezer.frozen.is_set()
    assert (error["code"], journal(healthy)) == ("DOCKER_STOPPED", "drain")
    healthy.ok("up", *PATIENCE)
    assert one_of_each_serves(healthy)
