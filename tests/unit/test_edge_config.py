"""What stands behind the edge, as its configuration says it."""

from pathlib import Path

import pytest

from aiinfra.edge_config import SLOTS, Place, attached_in, edge_files, empty, first, intact, padded, version_of
from aiinfra.settings import Settings, parse
from aiinfra.stack import Stack
from tests.conftest import FIXED_IDENTITY


def stack(text: str = "") -> Stack:
    return Stack("ai-infra", Path("/stack"), parse(text) if text else Settings(), FIXED_IDENTITY)


def config(**attached: list[Place]) -> str:
    places = {**empty(), **{service.replace("_", "-"): padded(found) for service, found in attached.items()}}
    return edge_files(stack(), places)["haproxy.cfg"]


def test_what_is_attached_can_be_read_back_from_the_file() -> None:
    gateways = [Place("ai-infra-litellm-7", "172.18.0.9"), Place(), Place("ai-infra-litellm-8")]
    found = attached_in(config(litellm=gateways, mpc_api=[Place("ai-infra-mpc-api-1")]))
    assert found == {"litellm": padded(gateways), "mpc-api": padded([Place("ai-infra-mpc-api-1")])}


def test_an_empty_place_takes_no_requests_and_asks_no_foreign_dns() -> None:
    lines = [line for line in config().splitlines() if line.lstrip().startswith("server ")]
    assert len(lines) == 2 * SLOTS
    assert all(line.endswith(" disabled") and " edge:" in line for line in lines)


def test_a_damaged_configuration_has_nothing_attached_and_no_version() -> None:
    assert attached_in("\x00 server litellm-1 broken") == empty()
    assert version_of("\x00 server litellm-1 broken") == ""


def test_containers_that_come_and_go_leave_the_version_alone_and_a_setting_of_the_edge_does_not() -> None:
    one, other = config(), config(litellm=[Place("ai-infra-litellm-2", "172.18.0.9")])
    assert one != other
    assert version_of(one) == version_of(other) != ""


def test_a_new_stack_begins_with_as_many_places_taken_as_it_has_replicas() -> None:
    found = first(stack("services: {mpc-api: {replicas: 3}}"))
    assert [place.name for place in found["mpc-api"]][:4] == [f"ai-infra-mpc-api-{one}" for one in (1, 2, 3)] + [""]
    assert len([place for place in found["litellm"] if place.name]) == 1


def test_a_request_that_reached_a_server_is_never_sent_to_another() -> None:
    retries = [line.split()[1:] for line in config().splitlines() if line.lstrip().startswith("retry-on")]
    assert retries == [["conn-failure"]]


def test_the_files_of_the_edge_are_intact_whatever_containers_stand_behind_it() -> None:
    attached = {**empty(), "litellm": padded([Place(), Place("ai-infra-litellm-7", "172.18.0.9")])}
    assert intact(stack(), edge_files(stack(), attached))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("haproxy.cfg", "timeout connect 2s", "timeout connect 9s"),
        ("haproxy.cfg", "    server mpc-api-3 edge:3000 disabled\n", ""),
        ("haproxy.cfg", "    server mpc-api-3 edge:3000 disabled\n", "    server mpc-api-3 edge:3000 disabled\n" * 2),
        ("haproxy.cfg", "defaults", "\x00"),
        ("hold.lua", "function", "functoin"),
    ],
)
def test_an_edit_by_hand_is_seen_although_the_version_stays(name: str, old: str, new: str) -> None:
    files = edge_files(stack(), first(stack()))
    assert old in files[name]
    edited = {**files, name: files[name].replace(old, new, 1)}
    assert version_of(edited["haproxy.cfg"]) == version_of(files["haproxy.cfg"])
    assert not intact(stack(), edited)


def test_files_that_are_gone_are_not_intact() -> None:
    files = edge_files(stack(), first(stack()))
    assert [name for name in files if intact(stack(), {key: files[key] for key in files if key != name})] == []
    assert not intact(stack(), {})
