"""`down` and `ls`, on an engine of their own: what ends, what stays, and what is seen of every stack."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.e2e.apart import apart, begin, engine, new_stack
from tests.e2e.conftest import Cli
from tests.private_engine import PrivateEngine
from tests.screens import Screens, screens

__all__ = ["apart", "engine", "screens"]

RUN = ("run", "-d", "--entrypoint", "sleep")


def names(engine: PrivateEngine) -> set[str]:
    return set(engine.docker("ps", "-a", "--format", "{{.Names}}").split())


def networks(engine: PrivateEngine) -> set[str]:
    return set(engine.docker("network", "ls", "--filter", "type=custom", "--format", "{{.Name}}").split())


def volumes(engine: PrivateEngine) -> set[str]:
    return set(engine.docker("volume", "ls", "-q").split())


def test_down_removes_containers_networks_and_scratch_containers_and_keeps_the_data(
    apart: Cli, engine: PrivateEngine
) -> None:
    begin(apart)
    labels = ("--label", f"org.aiinfra.stack={apart.stack}", "--label", "org.aiinfra.scratch=judge")
    engine.docker(*RUN, "--name", "scratch", *labels, "redis:8.0", "600")
    result = apart.ok("down", "--timeout", "0")
    assert set(result["removed"]) == {
        "scratch",
        *(f"{apart.stack}-{one}-1" for one in ("redis", "litellm", "mpc-api", "edge")),
    }
    assert (names(engine), networks(engine)) == (set(), set())
    assert volumes(engine) == {f"{apart.stack}-redis-data"}
    assert apart.ok("down") == {**result, "removed": [], "networks_removed": []}


def test_guests_on_our_network_are_named_and_left_running_or_not(apart: Cli, engine: PrivateEngine) -> None:
    begin(apart)
    network = f"{apart.stack}-network"
    engine.docker(*RUN, "--name", "guest", "--network", network, "redis:8.0", "600")
    engine.docker("create", "--name", "sleeping-guest", "--network", network, "redis:8.0")
    done = apart.run("down", "--timeout", "0")
    assert done.returncode == 0, done.stderr
    assert f"{network}: kept, because other containers are on it: guest, sleeping-guest" in done.stderr
    assert networks(engine) == {network}
    assert engine.docker("ps", "--format", "{{.Names}}").split() == ["guest"]
    begin(apart)  # the network that stayed is used again
    engine.docker("rm", "-f", "guest", "sleeping-guest")
    apart.ok("down", "--timeout", "0")
    assert networks(engine) == set()


def test_down_all_ends_every_stack_and_nothing_of_others(
    command: Path, apart: Cli, engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    begin(apart)
    second = new_stack(command, tmp_path_factory.mktemp("second"), engine)
    begin(second)
    engine.docker(*RUN, "--name", "foreign", "-v", "foreign-data:/data", "redis:8.0", "600")
    error = apart.fails("down", "--all", exit_code=5)
    assert error["code"] == "CONFIRMATION_NEEDED"
    assert f"container {second.stack}-redis-1" in error["details"]["items"]
    result = apart.ok("down", "--all", "--volumes", "--timeout", "0", "--yes")
    assert {one["stack"] for one in result["stacks"]} == {apart.stack, second.stack}
    assert (names(engine), volumes(engine)) == ({"foreign"}, {"foreign-data"})
    assert apart.ok("down", "--all", "--yes") == {"stacks": []}


def test_ls_shows_every_stack_its_state_and_a_directory_that_is_gone(
    command: Path, apart: Cli, engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert apart.ok("ls") == {"stacks": []}
    begin(apart)
    lost = new_stack(command, tmp_path_factory.mktemp("lost"), engine)
    begin(lost)
    lost.ok("down", "--timeout", "0")
    shutil.rmtree(lost.directory)
    rows = {row["name"]: row for row in apart.ok("ls")["stacks"]}
    here, gone = rows[apart.stack], rows[lost.stack]
    assert (here["state"], here["health"], here["running"]) == ("running", "starting", 4)
    assert (here["directory"], here["directory_found"]) == (str(apart.directory), True)
    assert (here["provider_config"], set(here["ports"])) == ("mock", {"litellm", "mpc-api"})
    assert (gone["state"], gone["directory_found"], gone["volumes"]) == ("down", False, [f"{lost.stack}-redis-data"])
    assert f"{lost.directory} (gone)" in apart.run("ls").stdout


def test_a_list_of_stacks_in_a_terminal(command: Path, engine: PrivateEngine, screens: Screens) -> None:
    # Its path must fit into a line.
    with tempfile.TemporaryDirectory() as folder:
        one = new_stack(command, Path(folder), engine)
        begin(one)
        screens.ended("ls", one, "ls")
