"""What is killed, frozen, starved or slow in a running stack: what a user is told, what goes on, how it heals."""

import contextlib
import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.blows import (
    LONG,
    JumpingClock,
    answers_in_a_row,
    candidate,
    connected_to_redis,
    freeze,
    frozen,
    gets_requests,
    heals,
    ids,
    kill_9,
    loaded,
    names,
    process_of,
    told,
)
from tests.e2e.conftest import Cli, docker, new_cli
from tests.private_engine import until

PATIENCE = ("--timeout", "600")
# The second time it comes from the cache, whatever becomes of the gateway.
CACHED = {"topic": "What is in the cache", "duration": 15}


@pytest.fixture(name="pair", scope="module")
def _pair(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A healthy stack with two containers of MPC-API; every test leaves it healthy, with five containers in all."""
    one = new_cli(command, tmp_path_factory.mktemp("stack"))
    one.settings("services: {mpc-api: {replicas: 2}}\n")
    try:
        one.ok("up", *PATIENCE)
        assert one.post("/generate/script", CACHED).status_code == 200
        yield one
    finally:
        one.remove()


@pytest.fixture(name="clock")
def _clock(tmp_path: Path) -> JumpingClock:
    return JumpingClock(tmp_path)


@pytest.mark.parametrize("service", ["redis", "mpc-api", "edge"])
def test_what_is_killed_is_told_by_health_and_comes_back_by_itself(pair: Cli, service: str) -> None:
    before, row = ids(pair), dict[str, Any]()

    def seen() -> bool:
        # Each time it is back, until a look falls into the time in between: the engine waits longer every time.
        for name in names(pair, service):
            kill_9(name)
        row.update(told(pair, service))
        return bool(row)

    until(seen, "health tells it", seconds=LONG)
    assert row["exit_code"] == 1
    assert row["status"] in ("unhealthy", "restarting")
    assert row["text"]
    heals(pair)
    assert ids(pair) == before


def test_without_the_edge_nobody_answers_on_either_port(pair: Cli) -> None:
    urls = [pair.url("litellm"), pair.url("mpc-api")]

    def silent(url: str) -> bool:
        kill_9(names(pair, "edge")[0])
        try:
            httpx.get(f"{url}/health/live", timeout=10)
        except httpx.TransportError:
            return True
        return False

    for url in urls:
        until(lambda url=url: silent(url), "nobody answers", seconds=LONG)  # type: ignore[misc]
    heals(pair)


def test_without_the_gateway_the_api_answers_from_its_cache_and_refuses_the_rest_in_its_own_format(pair: Cli) -> None:
    before, answers = ids(pair), list[httpx.Response]()

    def refused() -> bool:
        kill_9(names(pair, "litellm")[0])
        answers.append(pair.post("/generate/script", {"topic": uuid.uuid4().hex, "duration": 15}))
        return answers[-1].status_code == 503

    until(refused, "an answer that no cache has is refused", seconds=LONG)
    assert answers[-1].json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert pair.post("/generate/script", CACHED).json()["data"]["usage"]["cached"] is True
    # It may have booted in the seconds that a request waits in the edge.
    kill_9(names(pair, "litellm")[0])
    assert told(pair, "litellm")["exit_code"] == 1
    heals(pair)
    assert ids(pair) == before


def test_with_one_of_two_apis_killed_only_what_was_in_flight_there_is_lost(pair: Cli) -> None:
    with loaded(pair).running() as load:
        load.wait_for(10)
        killed = time.monotonic()
        kill_9(names(pair, "mpc-api")[0])
        load.wait_for(20)
        heals(pair)
        load.wait_for(10)
    assert [one for one in load.faults if one.began > killed] == []


def test_what_redis_acknowledged_survives_its_kill_and_meanwhile_no_request_fails(pair: Cli) -> None:
    (container,) = names(pair, "redis")
    run, writes = uuid.uuid4().hex, list[float]()

    def kill_in_the_middle() -> None:
        until(lambda: len(writes) > 1000 and time.monotonic() - writes[0] > 5, "writes are under way")
        kill_9(container)

    killer = threading.Thread(target=kill_in_the_middle)
    with loaded(pair).running() as load, connected_to_redis(pair.keys()["REDIS_PASSWORD"], container) as ask:
        killer.start()
        with contextlib.suppress(OSError):
            while ask(f"SET {run}-{len(writes)} kept") == "+OK":
                writes.append(time.monotonic())
        killer.join()
        heals(pair)
        load.wait_for(10)
    with connected_to_redis(pair.keys()["REDIS_PASSWORD"], container) as ask:
        lost = [number for number in range(len(writes)) if ask(f"GET {run}-{number}") != "kept"]
    assert lost == []
    assert load.faults == []


def test_redis_frozen_for_a_minute_costs_no_request_and_is_told_and_used_again_when_it_is_back(pair: Cli) -> None:
    (container,) = names(pair, "redis")
    api = pair.url("mpc-api")
    with loaded(pair).running() as load:
        load.wait_for(10)
        began = time.monotonic()
        with frozen(container):
            until(lambda: httpx.get(f"{api}/health", timeout=60).json()["status"] == "degraded", "the API tells it")
            assert httpx.get(f"{api}/health", timeout=60).status_code == 200
            assert (told(pair, "redis")["status"], told(pair, "mpc-api")["status"]) == ("paused", "degraded")
            assert told(pair, "mpc-api")["dependencies"]["redis"] == "unhealthy"
            time.sleep(max(began + 60 - time.monotonic(), 0))
        heals(pair)
        load.wait_for(10)
    assert load.faults == []
    until(lambda: pair.post("/generate/script", CACHED).json()["data"]["usage"]["cached"] is True, "the cache is used")


def test_a_container_out_of_memory_is_told_as_such_while_the_other_one_serves(pair: Cli) -> None:
    victim = names(pair, "mpc-api")[0]
    normal = docker("inspect", "--format", "{{.HostConfig.Memory}}", victim).strip()
    docker("stop", "-t", "5", victim)
    docker("update", "--memory", "32m", "--memory-swap", "32m", victim)
    docker("start", victim)
    try:
        words = f"{victim} is restarting: it ran out of memory (its limit is services.mpc-api.memory) and was killed"
        rows = list[dict[str, Any]]()

        def seen() -> bool:
            rows.append(told(pair, "mpc-api"))
            return words in rows[-1].get("text", "")

        until(seen, "health says why", seconds=LONG)
        assert (rows[-1]["status"], rows[-1]["exit_code"]) == ("degraded", 1)
        assert pair.post("/generate/script", {"topic": uuid.uuid4().hex, "duration": 15}).status_code == 200
    finally:
        docker("update", "--memory", normal, "--memory-swap", normal, victim)
    heals(pair)


def test_an_up_says_what_it_waits_for_gives_up_at_its_deadline_and_waits_out_a_slow_boot(pair: Cli) -> None:
    (gateway,) = names(pair, "litellm")
    docker("rm", "-f", gateway)
    short = pair.start("up", "--timeout", "8")
    until(lambda: names(pair, "litellm") == [gateway], "it is made anew")
    slow = freeze(gateway)
    output, _ = short.communicate(timeout=LONG)
    assert (short.returncode, "litellm did not become ready" in output) == (1, True), output
    assert "it is not healthy after 8 s; its last check says" in output
    assert "its container is left for a look" in output
    assert pair.post("/generate/script", CACHED).json()["data"]["usage"]["cached"] is True
    patient = pair.start("up", *PATIENCE)
    assert patient.stdout
    said = next(line for line in patient.stdout if "not healthy yet" in line)
    for process in slow:
        process.resume()
    output, _ = patient.communicate(timeout=900)
    assert (patient.returncode, "litellm: healthy after" in output) == (0, True), output
    assert said.startswith("litellm: not healthy yet: HTTP 503")
    heals(pair)


def test_a_replacement_that_boots_for_too_long_is_discarded_and_nothing_is_lost(pair: Cli) -> None:
    before = names(pair)
    with loaded(pair).running() as load:
        load.wait_for(5)
        process = pair.start("restart", "mpc-api", "--timeout", "8")
        freeze(candidate(pair, before))
        output, _ = process.communicate(timeout=LONG)
        load.wait_for(5)
    assert (process.returncode, "it is not ready after 8 s; its last probe says" in output) == (1, True), output
    assert "what served before still serves" in output
    assert (names(pair), load.faults) == (before, [])
    heals(pair)


def test_a_frozen_container_of_two_is_left_out_and_named_and_what_it_had_is_answered_when_it_thaws(pair: Cli) -> None:
    victim, url = names(pair, "mpc-api")[0], pair.url("mpc-api")
    with ThreadPoolExecutor(2) as pool, frozen(victim):
        # They take turns: one of the two waits.
        waiting = [pool.submit(httpx.get, f"{url}/health/live", timeout=600) for _ in range(2)]
        until(lambda: answers_in_a_row(url), "requests go to the other one", seconds=LONG)
        row = told(pair, "mpc-api")
        assert (row["status"], row["exit_code"]) == ("degraded", 1)
        assert f"{victim} is paused: it is frozen" in row["text"]
    assert [one.result().status_code for one in waiting] == [200, 200]
    until(lambda: gets_requests(victim, url), "it serves again", seconds=LONG)
    heals(pair)


def test_a_service_with_a_frozen_container_is_replaced_without_a_lost_request(pair: Cli) -> None:
    before, url = names(pair), pair.url("mpc-api")
    with frozen(names(pair, "mpc-api")[0], for_good=True):
        until(lambda: answers_in_a_row(url), "requests go to the other one", seconds=LONG)
        with loaded(pair).running() as load:
            load.wait_for(5)
            pair.ok("restart", "mpc-api", *PATIENCE)
            load.wait_for(5)
    assert load.faults == []
    assert set(names(pair, "mpc-api")).isdisjoint(before)
    heals(pair)


def test_waits_and_watches_go_on_while_the_clock_jumps(pair: Cli, clock: JumpingClock) -> None:
    cli = Cli(pair.command, pair.directory, pair.stack, clock.environment)
    with frozen(names(pair, "redis")[0]):
        wait = cli.start("health", "redis", "--wait", *PATIENCE)
        watch = cli.start("health", "redis", "--watch", "--json", "--interval", "0.2")
        assert watch.stdout
        rounds = (json.loads(line) for line in watch.stdout)
        for days in (2, -2):
            clock.jump(days)
            day = (datetime.now(UTC) + timedelta(days=days)).date()
            next(one for one in rounds if abs(datetime.fromisoformat(one["time"]).date() - day) <= timedelta(days=1))
            assert [next(rounds)["status"] for _ in range(5)] == ["unhealthy"] * 5
        assert wait.poll() is None
    output, _ = wait.communicate(timeout=LONG)
    assert wait.returncode == 0, output
    os.killpg(watch.pid, signal.SIGINT)
    watch.communicate(timeout=LONG)
    assert watch.returncode == 0
    heals(pair)


def test_a_replacement_goes_on_while_the_clock_jumps_and_a_killed_one_has_its_reason(
    pair: Cli, clock: JumpingClock
) -> None:
    cli, before = Cli(pair.command, pair.directory, pair.stack, clock.environment), names(pair)
    process = cli.start("restart", "mpc-api", *PATIENCE)
    first = candidate(pair, before)
    clock.jump(2)
    candidate(pair, [*before, first])
    clock.jump(-2)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    process = cli.start("restart", "mpc-api", *PATIENCE)
    name = candidate(pair, before := names(pair))
    until(lambda: process_of(name) is not None, "it runs")
    kill_9(name)
    output, _ = process.communicate(timeout=600)
    assert (process.returncode, "it was killed (signal 9)" in output) == (1, True), output
    assert names(pair) == before
    pair.ok("up", *PATIENCE)
    assert pair.ok("history")
    heals(pair)
