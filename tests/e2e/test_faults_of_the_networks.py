"""Networks and volumes that are removed by hand, or cannot be made; on an engine of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.apart import apart, begin, engine, new_stack
from tests.e2e.conftest import Cli
from tests.e2e.test_faults_of_the_engine import redis, states
from tests.private_engine import PrivateEngine, started, until

__all__ = ["apart", "engine"]


@pytest.fixture(name="narrow")
def _narrow() -> Iterator[PrivateEngine]:
    """An engine with room for two networks; its own bridge is the first."""
    with started("--default-address-pool=base=10.213.0.0/23,size=24") as one:
        yield one


def networks(engine: PrivateEngine) -> list[str]:
    return engine.docker("network", "ls", "--filter", "type=custom", "--format", "{{.Name}}").split()


def test_networks_that_were_removed_while_everything_was_stopped_are_made_again_and_no_data_is_lost(
    apart: Cli, engine: PrivateEngine
) -> None:
    begin(apart)
    redis(apart, engine, "SET", "kept", "yes")
    until(lambda: "1" in redis(apart, engine, "WAITAOF", "1", "0", "0"), "the write is on disk")
    before = states(engine, apart)
    engine.docker("stop", "--time", "1", *before)
    gone = [f"{apart.stack}-{name}" for name in ("network", "backend", "data")]
    engine.docker("network", "rm", *gone)
    assert f"it lost the network {apart.stack}-data" in apart.run("plan").stdout
    begin(apart)
    assert sorted(networks(engine)) == sorted(gone)
    assert states(engine, apart) == before
    assert redis(apart, engine, "GET", "kept") == "yes"


def test_a_volume_cannot_be_removed_under_redis_and_one_that_was_removed_with_it_is_made_anew(
    apart: Cli, engine: PrivateEngine
) -> None:
    begin(apart)
    volume, container = f"{apart.stack}-redis-data", f"{apart.stack}-redis-1"
    engine.docker("volume", "rm", "--force", volume, check=False)
    assert volume in engine.docker("volume", "ls", "-q")
    engine.docker("rm", "--force", container)
    engine.docker("volume", "rm", volume)
    begin(apart)
    assert redis(apart, engine, "SET", "new", "yes") == "OK"
    assert volume in engine.docker("volume", "ls", "-q")


def test_an_engine_without_an_address_range_left_is_told_with_the_fix_and_nothing_is_half_made(
    command: Path, tmp_path: Path, narrow: PrivateEngine
) -> None:
    cli = new_stack(command, tmp_path, narrow)
    error = cli.fails("up", exit_code=4)
    assert (error["code"], "no address range left" in error["message"]) == ("DOCKER_REFUSED", True), error
    assert "default-address-pools" in error["hint"]
    assert (networks(narrow), states(narrow, cli)) == ([], {})
    assert cli.ok("down")
