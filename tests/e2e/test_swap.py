"""What is replaced while requests run: none is lost, and what cannot serve never gets one."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Cli, docker

PATIENCE = ("--timeout", "600")


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
