"""What a service is said to be, from what its containers, the edge and the service itself answered."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from aiinfra.commands.health import judged
from aiinfra.engine import Container
from aiinfra.probes import Probe, together

GOOD, BAD = Probe("healthy", 1.0), Probe("unhealthy", 5000.0, "no answer in time")
WEAK = Probe("degraded", 2.0, "redis is unhealthy", {"redis": "unhealthy"})


def container(number: int, **different: Any) -> Container:  # noqa: ANN401
    plain: Mapping[str, Any] = {
        "id": f"id{number}", "name": f"s-mpc-api-{number}", "service": "mpc-api", "image": "i", "state": "running",
        "health": "healthy", "exit_code": 0, "out_of_memory": False, "restarts": 0, "started": None, "labels": {},
        "ports": {}, "last_check": "", "number": number,
    }  # fmt: skip
    return Container(**{**plain, **different})


def verdict(through: Probe | None, *pairs: tuple[Container, Probe | None]) -> tuple[str, str]:
    answers = {("mpc-api", one.id): probe for one, probe in pairs if probe is not None}
    found = judged("mpc-api", [one for one, _ in pairs], through, answers)
    return found.status, found.text


def test_a_service_is_healthy_when_the_edge_and_every_replica_say_so() -> None:
    assert verdict(GOOD, (container(1), GOOD), (container(2), GOOD)) == ("healthy", "")


def test_one_bad_replica_of_two_is_degraded_and_named() -> None:
    found = verdict(GOOD, (container(1), GOOD), (container(2), BAD))
    assert found == ("degraded", "s-mpc-api-2 is unhealthy: no answer in time")


def test_a_replacement_that_still_starts_beside_one_that_serves_is_no_fault() -> None:
    assert verdict(GOOD, (container(1), GOOD), (container(2, health="starting"), BAD)) == ("healthy", "")


def test_a_fault_between_edge_and_service_is_told_as_such() -> None:
    status, text = verdict(BAD, (container(1), GOOD))
    assert status == "unhealthy"
    assert text == "through the edge: no answer in time; directly it is healthy"


def test_a_service_that_calls_itself_degraded_is_degraded_with_its_own_reason() -> None:
    assert verdict(WEAK, (container(1), WEAK)) == ("degraded", "redis is unhealthy")


@pytest.mark.parametrize(
    ("state", "status", "text"),
    [
        ("exited", "stopped", "it exited with code 3"),
        ("paused", "paused", "it is frozen (`docker pause`)"),
        ("restarting", "restarting", "it exited with code 3"),
        ("created", "stopped", "it does not run"),
    ],
)
def test_a_container_that_does_not_run_has_a_word_of_its_own(state: str, status: str, text: str) -> None:
    assert verdict(BAD, (container(1, state=state, exit_code=3), None)) == (status, text)


def test_a_container_that_ran_out_of_memory_says_so_while_it_is_started_again() -> None:
    one = container(1, state="restarting", exit_code=137, out_of_memory=True)
    words = "it ran out of memory (its limit is services.mpc-api.memory) and was killed"
    assert verdict(BAD, (one, None)) == ("restarting", words)


def test_no_container_at_all_is_stopped() -> None:
    assert verdict(BAD) == ("stopped", "it has no container")


def test_what_the_engine_calls_unhealthy_is_unhealthy_with_what_its_check_said() -> None:
    one = container(1, health="unhealthy", last_check="exit 1: boom", failing_streak=4, last_failure="exit 1: boom")
    found = judged("mpc-api", [one], GOOD, {("mpc-api", "id1"): GOOD})
    assert (found.status, found.text, found.failing_streak, found.last_failure) == (
        "unhealthy", "exit 1: boom", 4, "exit 1: boom",
    )  # fmt: skip


def test_a_look_that_never_comes_back_is_given_up_and_the_others_are_not_lost() -> None:
    for_ever = threading.Event()

    def hang() -> Probe:
        for_ever.wait()
        return GOOD

    try:
        found = together({"hung": hang, "good": lambda: GOOD}, timeout=5)
    finally:
        for_ever.set()
    assert (found["good"], found["hung"].status, found["hung"].text) == (GOOD, "unhealthy", "no answer in time")
