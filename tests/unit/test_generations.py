"""Which applied states are kept, and which one is gone back to."""

from dataclasses import replace
from pathlib import Path

import pytest

from aiinfra import generations
from aiinfra.commands.remember import became_healthy
from aiinfra.engine import Container
from aiinfra.generations import Generation
from aiinfra.naming import CONTENT_LABEL
from aiinfra.workspace import Workspace

ONE = Generation(
    number=1,
    at="2026-01-01T00:00:00Z",
    verb="up",
    provider_config="mock",
    healthy=True,
    whole=True,
    images={"redis": "redis:8.0"},
    image_ids={"redis": "sha256:1"},
    replicas={"redis": 1},
    hashes={"redis": "abc"},
    ports={"litellm": 4000, "mpc-api": 3000},
    address="127.0.0.1",
    keys={"MPC_API_KEY": "0"},
    compose="name: x\n",
    files=("redis-0123456789ab/redis.conf",),
)


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Workspace:
    place = Workspace(tmp_path, "demo")
    place.prepare()
    return place


def fill(place: Workspace, *healthy: bool) -> None:
    for number, good in enumerate(healthy, 1):
        generations.save(place, replace(ONE, number=number, healthy=good, hashes={"redis": f"abc{number}"}))


def numbers(place: Workspace) -> list[int]:
    return [one.number for one in generations.load(place)]


def test_what_is_kept_comes_back_and_others_cannot_read_it(place: Workspace) -> None:
    generations.save(place, ONE)
    assert generations.load(place) == (ONE,)
    assert ONE.folders == {"redis-0123456789ab"}
    folder = place.root / "generations"
    assert [path.stat().st_mode & 0o777 for path in (folder, folder / "1.json")] == [0o700, 0o600]


def test_the_last_five_are_kept_and_the_last_healthy_one_however_old(place: Workspace) -> None:
    fill(place, True, True, True, True, True, True, True)
    assert numbers(place) == [3, 4, 5, 6, 7]


def test_a_row_of_failures_pushes_out_no_healthy_one(place: Workspace) -> None:
    fill(place, True, True, True, True, True, True, False, False, False, False, False, False)
    assert numbers(place) == [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]


def test_states_of_single_services_do_not_push_out_the_last_one_of_all(place: Workspace) -> None:
    fill(place, True)
    for number in range(2, 9):
        generations.save(place, replace(ONE, number=number, whole=False))
    assert numbers(place) == [1, 4, 5, 6, 7, 8]


def test_a_number_that_was_used_is_not_used_again_though_nobody_remembers_it(place: Workspace) -> None:
    assert generations.following(place, 0) == 1
    fill(place, True, True, False)
    assert [generations.following(place, number) for number in (0, 2, 3, 7)] == [4, 4, 4, 8]
    (place.root / "generations" / "9.json").write_text("damaged")
    assert generations.following(place, 3) == 10


def test_the_way_back_is_the_last_healthy_whole_one_before_the_current(place: Workspace) -> None:
    fill(place, True, True, False)
    generations.save(place, replace(ONE, number=4, whole=False))
    found = generations.load(place)
    assert [getattr(generations.before(found, number), "number", None) for number in (5, 3, 2, 1)] == [2, 2, 1, None]


def test_a_state_that_is_the_current_one_again_is_no_way_back(place: Workspace) -> None:
    fill(place, True, True)
    restarted = replace(generations.load(place)[-1], number=3, verb="restart")
    generations.save(place, restarted)
    found = generations.load(place)
    assert getattr(generations.before(found, 3), "number", None) == 1
    # One that failed goes back to its like: that is the state which was healthy.
    failed = [*found[:-1], replace(restarted, healthy=False)]
    assert getattr(generations.before(tuple(failed), 3), "number", None) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"number": 2}', '{"number": 1}'])
def test_a_damaged_one_is_named_and_is_no_way_back(place: Workspace, text: str) -> None:
    fill(place, True)
    (place.root / "generations" / "2.json").write_text(text)
    assert (numbers(place), generations.damaged(place)) == ([1], ("2.json",))


def test_folders_that_are_not_named_after_their_content_are_never_swept(place: Workspace) -> None:
    fill(place, True)
    (place.root / "redis-0123456789ab").mkdir()
    (place.root / "redis-ba9876543210").mkdir()
    place.sweep([], [*ONE.folders])
    assert sorted(path.name for path in place.root.iterdir()) == ["generations", "redis-0123456789ab"]


def seen(health: str, content: str, number: int = 1) -> Container:
    return Container(
        id=f"{content}{number}",
        name=f"demo-redis-{number}",
        service="redis",
        image="redis:8.0",
        state="running",
        health=health,
        exit_code=0,
        out_of_memory=False,
        restarts=0,
        started=None,
        labels={CONTENT_LABEL: content},
        ports={},
        last_check="",
        number=number,
    )


def test_a_state_that_nobody_waited_for_counts_as_healthy_once_all_of_it_is() -> None:
    two = replace(ONE, replicas={"redis": 2})
    good = [seen("healthy", "abc", 1), seen("healthy", "abc", 2)]
    assert became_healthy(two, good)
    assert not became_healthy(two, good[:1])
    assert not became_healthy(two, [good[0], seen("starting", "abc", 2)])
    assert not became_healthy(two, [good[0], seen("healthy", "of another state", 2)])
    assert not became_healthy(ONE, [])
