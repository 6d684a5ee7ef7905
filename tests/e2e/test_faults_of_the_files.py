"""Files, disk, port, networks and containers of a stack, damaged or taken away: what is told, serves on, and heals."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e import odd
from tests.e2e.conftest import Cli, docker
from tests.e2e.odd import PATIENCE, answers, candidate_of, data, leftovers, own, planned
from tests.e2e.test_swap import journal, names, one_of_each_serves, until


@pytest.fixture(scope="module", name="stack")
def _stack(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    with odd.stack(command, tmp_path_factory.mktemp("odd")) as one:
        yield one


# Secrets


def test_every_secret_arrives_byte_for_byte_whatever_characters_it_has(stack: Cli) -> None:
    wanted = {name: odd.digest(value) for name, value in {**odd.KEYS, **odd.SECRETS}.items()}
    del wanted["MPC_API_KEY"], wanted["REDIS_PASSWORD"]
    found = odd.digests_in_the_gateway(stack)
    assert {name: found.get(name) for name in wanted} == wanted


def test_keys_with_odd_characters_open_what_they_are_for_and_nothing_else_does(stack: Cli) -> None:
    assert answers(stack) == 200
    assert stack.post("/generate/metadata", {"topic": "x"}, key=odd.KEYS["MPC_API_KEY"][:-1]).status_code == 401
    assert "odd_lines" in {one["alias"] for one in stack.ok("models")["models"]}
    assert stack.redis("PING") == "PONG"
    health = {row["service"]: row for row in stack.ok("health", "--wait")["services"]}
    assert health["mpc-api"]["dependencies"]["redis"] == "healthy"


# The port


def test_a_stranger_that_answers_200_on_our_port_is_not_taken_for_our_stack(stack: Cli) -> None:
    port = int(stack.url("litellm").rsplit(":", 1)[1])
    docker("stop", stack.ids()["edge"])
    with odd.stranger(port):
        rows = {row["service"]: row["text"] for row in data(stack, "health")["services"]}
        assert f"something else answers on port {port}" in rows["litellm"]
        assert "something else answers" in stack.fails("models", exit_code=1)["message"]
        error = stack.fails("up", exit_code=1)
        assert (error["code"], f"(pid {os.getpid()})" in error["message"]) == ("PORT_TAKEN", True)
    stack.ok("up", *PATIENCE)
    assert one_of_each_serves(stack)


# What we write


def test_the_edges_file_edited_by_hand_is_named_by_plan_and_put_right_by_up(stack: Cli) -> None:
    config, before = own(stack, "edge/haproxy.cfg"), stack.ids()
    good = config.read_bytes()
    for bad in (good[: len(good) // 2], good.replace(b"timeout connect 2s", b"timeout connect 9s"), b"\xff\0"):
        config.write_bytes(bad)
        assert planned(stack)["edge"] == ("reload", "its files were changed by hand")
        assert answers(stack) == 200
        stack.ok("up", *PATIENCE)
        assert (config.read_bytes(), stack.ids()) == (good, before)
    assert stack.ok("up")["changed"] is False


def test_an_edge_that_died_of_its_file_is_made_anew(stack: Cli) -> None:
    config = own(stack, "edge/haproxy.cfg")
    good = config.read_bytes()
    config.write_bytes(good[: len(good) // 2])
    docker("restart", stack.ids()["edge"])
    assert "edge" in stack.fails("health", exit_code=1)["details"]["services"]
    stack.ok("up", *PATIENCE)
    assert config.read_bytes() == good
    assert one_of_each_serves(stack)


@pytest.mark.parametrize("damaged", ["journal.json", "edge/haproxy.cfg"])
def test_a_swap_that_was_killed_leaves_nothing_behind_although_what_it_wrote_was_cut(stack: Cli, damaged: str) -> None:
    before = names(stack)
    process = stack.start("restart", "mpc-api", *PATIENCE)
    candidate_of(stack, before)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert journal(stack) == "begun"
    file = own(stack, damaged)
    file.write_bytes(file.read_bytes()[:20] + b"\xff")
    assert answers(stack) == 200
    stack.ok("up", *PATIENCE)
    assert one_of_each_serves(stack)


# The disk


def test_a_read_only_stack_directory_is_told_and_what_runs_goes_on(stack: Cli) -> None:
    before = stack.ids()
    with odd.read_only(stack.directory):
        for verb in (["up"], ["restart", "mpc-api"], ["use-config", "mock"]):
            error = stack.fails(*verb, exit_code=1)
            assert (error["code"], str(stack.directory) in error["message"]) == ("FILE_UNWRITABLE", True)
        assert answers(stack) == 200
        stack.ok("health", "--wait")
        assert stack.ids() == before
    assert stack.ok("up")["changed"] is False


def test_a_disk_that_takes_its_time_makes_a_swap_slow_and_loses_nothing(stack: Cli) -> None:
    before = names(stack)
    process = stack.start("restart", "mpc-api", *PATIENCE)
    candidate_of(stack, before)
    with odd.frozen(stack.directory):
        until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_DISK_SLEEP)
        assert answers(stack) == 200
        assert stack.run("health").returncode == 0
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    assert one_of_each_serves(stack)


# What others leave, or take away


def test_a_twin_of_an_interrupted_compose_is_listed_by_doctor_and_removed_by_up(stack: Cli) -> None:
    before = stack.ids()
    with odd.lookalike(f"0123456789ab_{stack.stack}-litellm-1", before["litellm"], "com.", "org.") as twin:
        assert f"an interrupted command left {twin}" in leftovers(stack)
        assert data(stack, "plan")["removed"] == [twin]
        stack.ok("up", *PATIENCE)
        assert stack.ids() == before
        assert twin not in names(stack)


def test_a_container_with_our_label_alone_is_listed_and_one_with_composes_alone_is_refused_by_name(stack: Cli) -> None:
    before, live = stack.ids(), stack.url("mpc-api") + "/health/live"
    with odd.lookalike(f"0123456789ab_{stack.stack}-ours", before["litellm"], "org.") as ours:
        assert f"docker rm -f {ours}" in leftovers(stack)
        assert stack.ok("up")["changed"] is False
    with odd.lookalike(f"0123456789ab_{stack.stack}-theirs", before["litellm"], "com.") as theirs:
        assert theirs in leftovers(stack)
        error = stack.fails("up", exit_code=1)
        assert (error["code"], f"remove {theirs}" in error["hint"]) == ("STACK_ELSEWHERE", True)
        assert httpx.get(live, timeout=60).status_code == 200
    assert stack.ok("up")["changed"] is False
    assert stack.ids() == before


def test_a_network_that_runs_cannot_be_removed_and_a_container_cut_off_it_is_replaced(stack: Cli) -> None:
    network = f"{stack.stack}-backend"
    done = subprocess.run(["docker", "network", "rm", network], capture_output=True, text=True, check=False)
    assert "active endpoints" in done.stderr
    docker("network", "disconnect", "-f", network, stack.ids()["mpc-api"])
    assert stack.run("health").returncode == 1
    assert planned(stack)["mpc-api"] == ("recreate", f"it lost the network {network}")
    stack.ok("up", *PATIENCE)
    assert one_of_each_serves(stack)


# A new container that does not do


def test_a_candidate_that_never_gets_ready_is_discarded_at_the_deadline(stack: Cli) -> None:
    before = names(stack)
    process = stack.start("restart", "mpc-api", "--timeout", "10")
    candidate = candidate_of(stack, before)
    # It hangs, for ever.
    os.kill(int(docker("inspect", "--format", "{{.State.Pid}}", candidate)), signal.SIGSTOP)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 1, output
    assert "it is not ready after 10 s; its last probe says: " in output
    assert "what served before still serves" in output
    assert names(stack) == before
    assert one_of_each_serves(stack)


def test_a_candidate_that_dies_while_the_old_one_drains_is_discarded_and_the_old_one_takes_requests_again(
    stack: Cli,
) -> None:
    before, url = names(stack), stack.url("mpc-api") + "/generate/script"
    headers = {"Authorization": f"Bearer {odd.KEYS['MPC_API_KEY']}"}
    process = stack.start("restart", "mpc-api", *PATIENCE)
    candidate = candidate_of(stack, before)
    statuses: dict[float, int] = {}

    def ask(began: float) -> None:
        body = {"topic": f"Geysers {began}"}
        statuses[began] = httpx.post(url, json=body, headers=headers, timeout=120).status_code

    def attached() -> bool:
        # A script takes ten seconds: one of them is always under way, so that the old one has something to finish.
        if not clients or time.monotonic() - clients[-1][0] > 2:
            began = time.monotonic()
            clients.append((began, threading.Thread(target=ask, args=(began,))))
            clients[-1][1].start()
        return journal(stack) != "begun"

    clients: list[tuple[float, threading.Thread]] = []
    until(attached)
    # The last one may have come to the new container.
    certain = [began for began, _ in clients if began < time.monotonic() - 1]
    until(lambda: journal(stack) == "drain" or process.poll() is not None)
    docker("kill", candidate)
    output, _ = process.communicate(timeout=600)
    for _, client in clients:
        client.join()
    assert process.returncode == 1, output
    assert "what served before still serves" in output
    assert certain
    assert {statuses[began] for began in certain} == {200}
    assert names(stack) == before
    assert one_of_each_serves(stack)


# At the end: it takes a new one of everything


def test_a_state_that_was_cut_is_refused_by_name_and_what_the_hint_says_brings_the_stack_back_with_its_data(
    stack: Cli,
) -> None:
    stack.redis("SET", "kept", "yes")
    state, before = own(stack, "state.json"), stack.ids()
    state.write_bytes(state.read_bytes()[:50])
    for verb in ("up", "health", "restart"):
        error = stack.fails(verb, exit_code=3)
        assert (error["code"], str(state) in error["message"]) == ("STATE_INVALID", True)
        assert "remove that file" in error["hint"]
    assert stack.ids() == before
    state.unlink()
    stack.ok("up", *PATIENCE)
    assert stack.redis("GET", "kept") == "yes"
    assert one_of_each_serves(stack)
