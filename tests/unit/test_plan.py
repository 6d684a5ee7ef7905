"""What a plan says, from hashes and containers alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from aiinfra.naming import CONTENT_LABEL
from aiinfra.plan import Desired, changes, leftovers, settled, stuck
from aiinfra.stack import SERVICES

HASHES = dict.fromkeys(SERVICES, "new")
IMAGES = {"litellm": "aiinfra-litellm:2"}


@dataclass(frozen=True)
class Seen:
    service: str
    state: str = "running"
    image: str = "aiinfra-litellm:2"
    labels: Mapping[str, str] = field(default_factory=lambda: {CONTENT_LABEL: "new"})
    name: str = "ai-infra-x-1"
    image_id: str = "sha256:2"
    number: int = 1


def plan(*containers: Seen) -> dict[str, tuple[str, str]]:
    return {one.service: (one.action, one.reason) for one in changes(Desired(HASHES, IMAGES), containers)}


def test_an_empty_engine_means_that_everything_is_created_in_order_of_dependency() -> None:
    found = changes(Desired(HASHES, IMAGES), [])
    assert [one.service for one in found] == ["redis", "litellm", "mpc-api", "edge"]
    assert {one.action for one in found} == {"create"}


def test_what_runs_as_wanted_is_left_alone() -> None:
    assert plan(*(Seen(name) for name in SERVICES)) == dict.fromkeys(SERVICES, ("unchanged", ""))


@pytest.mark.parametrize("state", ["created", "exited"])
def test_a_stopped_container_with_the_right_content_is_only_started(state: str) -> None:
    assert plan(Seen("redis", state))["redis"] == ("start", "it was stopped")


def test_a_paused_container_is_replaced_and_the_reason_says_so() -> None:
    assert plan(Seen("redis", "paused"))["redis"] == ("recreate", "it was paused")


def test_a_new_image_and_a_new_configuration_are_told_apart() -> None:
    old = {CONTENT_LABEL: "old"}
    assert plan(Seen("litellm", image="aiinfra-litellm:1", labels=old))["litellm"] == (
        "recreate",
        "its image changed",
    )
    assert plan(Seen("litellm", labels=old))["litellm"] == ("recreate", "its configuration changed")


def test_what_an_interrupted_compose_left_is_found_and_what_runs_is_spared() -> None:
    old = Seen("litellm", name="ai-infra-litellm-1")
    twin = Seen("litellm", "created", name="0123456789ab_ai-infra-litellm-1")
    alone = Seen("redis", "created", name="abcdef012345_ai-infra-redis-1")
    stopped = Seen("mpc-api", "exited", name="ai-infra-mpc-api-1")
    assert leftovers([old, twin, alone, stopped]) == [twin, alone]


def test_a_replacement_that_compose_did_not_get_to_rename_is_made_anew() -> None:
    alone = Seen("litellm", "created", name="0123456789ab_ai-infra-litellm-1")
    kept = [one for one in [alone] if one not in leftovers([alone])]
    assert plan(*kept)["litellm"] == ("create", "it was not there")


def test_what_can_neither_run_nor_start_is_stuck() -> None:
    states = ["running", "created", "exited", "paused", "dead", "restarting"]
    assert [one.state for one in stuck([Seen("redis", state) for state in states])] == ["paused", "dead", "restarting"]


def test_a_forced_service_is_replaced_with_the_reason_that_was_given_and_a_real_reason_wins() -> None:
    seen = [Seen(name) for name in SERVICES if name != "edge"]
    planned = {
        one.service: one for one in changes(Desired(HASHES, IMAGES), seen, forced={"redis": "asked", "edge": "asked"})
    }
    assert (planned["redis"].action, planned["redis"].reason, planned["redis"].forced) == ("recreate", "asked", True)
    assert (planned["edge"].action, planned["edge"].reason) == ("create", "it was not there")
    assert planned["litellm"].action == "unchanged"


def with_images(service: str, wanted: str) -> tuple[str, str]:
    desired = Desired(HASHES, IMAGES, dict.fromkeys(SERVICES, wanted))
    found = {one.service: one for one in changes(desired, [Seen(name) for name in SERVICES])}
    return found[service].action, found[service].reason


def test_an_image_of_the_same_name_that_is_another_one_now_or_gone_is_a_change_except_of_the_edge() -> None:
    assert with_images("litellm", "sha256:2") == ("unchanged", "")
    assert with_images("litellm", "sha256:3") == ("recreate", "its image was built or pulled anew")
    assert with_images("litellm", "") == ("recreate", "its image is gone")
    assert with_images("edge", "sha256:3") == ("unchanged", "")


def replicas(wanted: int, *states: str) -> tuple[str, str, list[int]]:
    seen = [Seen("mpc-api", state, number=number) for number, state in enumerate(states, 1)]
    spare = leftovers(seen, {"mpc-api": wanted})
    kept = [one for one in seen if one not in spare]
    found = {one.service: one for one in changes(Desired(HASHES, replicas={"mpc-api": wanted}), kept)}["mpc-api"]
    return found.action, found.reason, [one.number for one in spare]


def test_replicas_are_scaled_started_or_left_alone_and_running_ones_are_never_spare() -> None:
    assert replicas(2, "running") == ("scale", "2 wanted, 1 there", [])
    assert replicas(1, "running", "running") == ("scale", "1 wanted, 2 there", [])
    assert replicas(2, "running", "running") == ("unchanged", "", [])
    assert replicas(2, "exited", "exited") == ("start", "it was stopped", [])
    assert replicas(1, "exited", "running") == ("unchanged", "", [1])
    assert replicas(2, "running", "exited", "exited") == ("start", "it was stopped", [3])


def test_one_outdated_replica_is_reason_enough_to_replace() -> None:
    seen = [Seen("mpc-api"), Seen("mpc-api", labels={CONTENT_LABEL: "old"}, number=2)]
    found = {one.service: one for one in changes(Desired(HASHES, replicas={"mpc-api": 2}), seen)}
    assert found["mpc-api"].action == "recreate"


RUNNING = tuple(Seen(name, image="image", name=f"ai-infra-{name}-1") for name in SERVICES)
WANTED = Desired(HASHES, dict.fromkeys(SERVICES, "image"), dict.fromkeys(SERVICES, "sha256:2"), {"litellm": 1})


def test_a_stack_is_settled_when_exactly_what_should_run_does() -> None:
    assert settled(WANTED, RUNNING)


@pytest.mark.parametrize(
    "containers",
    [
        RUNNING[1:],
        (*RUNNING[:-1], replace(RUNNING[-1], state="exited")),
        (replace(RUNNING[0], labels={CONTENT_LABEL: "old"}), *RUNNING[1:]),
        (replace(RUNNING[0], image_id="sha256:1"), *RUNNING[1:]),
        (*RUNNING, replace(RUNNING[1], name="ai-infra-litellm-2", number=2)),
        (*RUNNING, replace(RUNNING[1], name="0123456789ab_ai-infra-litellm-1", state="created")),
        (*RUNNING, Seen("migration", state="paused")),
    ],
    ids=["missing", "stopped", "other content", "other image", "one too many", "left over", "stuck"],
)
def test_a_stack_is_not_settled_with_a_container(containers: tuple[Seen, ...]) -> None:
    assert not settled(WANTED, containers)
