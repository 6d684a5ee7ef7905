"""Commands that are killed, interrupted, or run twice at once: the next `up` ends healthy, and nothing is left over."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable

import httpx
import pytest

from bench.listing import listing
from tests.e2e.conftest import Cli, docker
from tests.e2e.test_swap import PATIENCE, journal, names, until

SERVICES = ("redis", "litellm", "mpc-api", "edge")


def there(cli: Cli) -> frozenset[str]:
    # Whoever builds on this engine gives names to the same images.
    return frozenset(one for one in listing(cli.stack, cli.directory) if " image " not in one)


def kill_when(process: "subprocess.Popen[str]", reached: Callable[[], bool]) -> None:
    """Kill a command and all that it started, as soon as something is so."""
    until(lambda: reached() or process.poll() is not None)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def a_container_is_there(cli: Cli) -> bool:
    return bool(names(cli))


def a_candidate_is_made(cli: Cli) -> bool:
    return journal(cli) == "begun"


def a_container_has_stopped(cli: Cli) -> bool:
    label = f"label=org.aiinfra.stack={cli.stack}"
    return bool(docker("ps", "-q", "--filter", "status=exited", "--filter", label))


def test_a_first_up_that_is_killed_when_it_has_written_keys_is_finished_by_the_next_one(cli: Cli) -> None:
    kill_when(cli.start("up"), (cli.directory / f".env.{cli.stack}").exists)
    cli.ok("up", *PATIENCE)
    assert names(cli) == sorted(f"{cli.stack}-{service}-1" for service in SERVICES)


@pytest.mark.parametrize(
    ("before", "verb", "reached"),
    [
        (["down"], ["up"], a_container_is_there),
        ([], ["rebuild", "mpc-api"], a_candidate_is_made),
        ([], ["down"], a_container_has_stopped),
    ],
    ids=["up", "rebuild", "down"],
)
def test_after_a_killed_command_the_next_up_ends_healthy_and_nothing_is_left_over(
    healthy: Cli, before: list[str], verb: list[str], reached: Callable[[Cli], bool]
) -> None:
    clean = there(healthy)
    if before:
        healthy.ok(*before)
    kill_when(healthy.start(*verb), lambda: reached(healthy))
    healthy.ok("up", *PATIENCE)
    assert healthy.ok("health", "--wait", *PATIENCE)["status"] == "healthy"
    until(lambda: there(healthy) == clean)


def test_an_up_after_a_down_that_was_killed_while_a_request_ran_waits_for_that_end_and_starts_all_anew(
    healthy: Cli,
) -> None:
    url, key = healthy.url("litellm"), healthy.keys()["LITELLM_MASTER_KEY"]
    body = {"model": "mock/slow", "messages": [{"role": "user", "content": "x"}]}
    begun, before = threading.Event(), healthy.ids()

    def ask() -> None:
        begun.set()
        headers = {"Authorization": f"Bearer {key}"}
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60)

    request = threading.Thread(target=ask)
    request.start()
    begun.wait()
    kill_when(healthy.start("down"), lambda: a_container_has_stopped(healthy))
    # The gateway was told to stop and still looks healthy, until its request has ended.
    done = healthy.run("up", *PATIENCE)
    request.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert healthy.ok("health", "--wait", *PATIENCE)["status"] == "healthy"
    assert not set(before.values()) & set(healthy.ids().values())


def test_the_container_that_judged_for_a_killed_command_goes_and_those_of_running_ones_stay(healthy: Cli) -> None:
    def left(purpose: str) -> str:
        labels = (f"--label=org.aiinfra.stack={healthy.stack}", f"--label=org.aiinfra.scratch={purpose}")
        return docker("create", *labels, "redis:8.0").strip()

    killed, running = left("judge"), left("names")
    healthy.ok("up")
    found = docker("ps", "-aq", "--no-trunc").split()
    docker("rm", running)
    assert (killed in found, running in found) == (False, True)


def test_an_interrupted_up_says_so_keeps_what_runs_and_is_finished_by_the_next(healthy: Cli) -> None:
    healthy.ok("down")
    process = healthy.start("up", *PATIENCE)
    until(lambda: len(names(healthy)) == len(SERVICES))
    os.killpg(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 143, output
    assert "the next `aiinfra up` finishes the job" in output
    assert "Traceback" not in output
    healthy.ok("up", *PATIENCE)


def test_two_first_ups_at_once_take_turns_and_both_succeed(cli: Cli) -> None:
    both = [cli.start("up", *PATIENCE) for _ in range(2)]
    said = [one.communicate()[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert len(cli.ok("ps", "--all")["containers"]) == 4


@pytest.mark.parametrize("level", ["debug", "info"])
def test_of_two_ups_after_a_change_one_makes_it_and_the_other_waits(healthy: Cli, level: str) -> None:
    healthy.settings(f"services: {{mpc-api: {{log_level: {level}}}}}\n")
    both = [healthy.start("up", *PATIENCE) for _ in range(2)]
    said = [one.communicate()[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert sorted("recreated" in one for one in said) == [False, True]
    assert sorted("waiting for" in one for one in said) == [False, True]
    assert len(names(healthy)) == len(SERVICES)
