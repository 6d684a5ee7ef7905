"""What a user sees, and what is lost, when the engine restarts, hangs or has no space left; on an engine of its own."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.apart import apart, begin, engine, new_stack, swapping
from tests.e2e.conftest import Cli
from tests.private_engine import PrivateEngine, started, until

__all__ = ["apart", "engine", "swapping"]


def redis(cli: Cli, engine: PrivateEngine, *words: str) -> str:
    text = f"AUTH {cli.keys()['REDIS_PASSWORD']}\n{' '.join(words)}\n"
    answer = engine.docker("exec", "-i", f"{cli.stack}-redis-1", "redis-cli", text=text, check=False)
    return answer.partition("\n")[2].strip()


def states(engine: PrivateEngine, cli: Cli) -> dict[str, str]:
    listing = ("ps", "-a", "--filter", f"label=org.aiinfra.stack={cli.stack}", "--format", "{{.Names}} {{.State}}")
    return dict(line.split() for line in engine.docker(*listing).splitlines())


def test_after_a_restart_of_the_engine_everything_runs_again_by_itself_with_its_data(
    apart: Cli, engine: PrivateEngine
) -> None:
    begin(apart)
    redis(apart, engine, "SET", "kept", "yes")
    until(lambda: "1" in redis(apart, engine, "WAITAOF", "1", "0", "0"), "the write is on disk")
    engine.restart()
    until(lambda: set(states(engine, apart).values()) == {"running"}, "all containers run again")
    until(lambda: redis(apart, engine, "GET", "kept") == "yes", "redis has its data")


def test_an_engine_that_hangs_is_told_by_every_verb_in_seconds(apart: Cli, engine: PrivateEngine) -> None:
    begin(apart)
    with engine.frozen():
        for verb in (["ps"], ["up"], ["down"], ["ls"], ["prune", "--yes"], ["backup"]):
            error = apart.fails(*verb, exit_code=4)
            assert (error["code"], "did not answer within" in error["message"]) == ("DOCKER_STOPPED", True)
        done = apart.run("doctor")
        assert (done.returncode, "did not answer within" in done.stdout) == (1, True)
    apart.ok("down", "--timeout", "0")


def test_a_restart_of_the_engine_in_the_middle_of_a_swap_is_told_and_the_next_up_ends_healthy_with_its_data(
    swapping: Cli, engine: PrivateEngine
) -> None:
    redis(swapping, engine, "SET", "kept", "yes")
    until(lambda: "1" in redis(swapping, engine, "WAITAOF", "1", "0", "0"), "the write is on disk")
    before = states(engine, swapping)
    process = swapping.start("restart", "mpc-api", "--timeout", "600")
    until(lambda: "running" in [state for name, state in states(engine, swapping).items() if name not in before], "it")
    engine.restart()
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 4, output
    assert "no Docker engine answers" in output
    assert "Traceback" not in output
    swapping.ok("up", "--timeout", "600")
    found = states(engine, swapping)
    assert (len(found), set(found.values())) == (4, {"running"})
    assert swapping.run("health", "--wait").returncode == 0
    assert redis(swapping, engine, "GET", "kept") == "yes"


@pytest.fixture(name="small")
def _small() -> Iterator[PrivateEngine]:
    """An engine on a disk that has room for Redis, the edge and a little more."""
    with started(disk=700_000_000) as one:
        yield one


def test_a_full_disk_of_the_engine_is_told_by_name_leaves_what_runs_and_heals_when_there_is_space(
    command: Path, tmp_path: Path, small: PrivateEngine
) -> None:
    cli = new_stack(command, tmp_path, small)
    begin(cli)
    until(lambda: cli.run("health", "redis").returncode == 0, "redis is healthy")
    before = states(small, cli)
    fill(small.data / "filler")
    cli.settings("services: {mpc-api: {log_level: debug}, litellm: {grace: 5}}\n")
    error = cli.fails("up", exit_code=1)
    assert (error["code"], "the disk of the Docker engine" in error["message"]) == ("DISK_FULL", True)
    assert states(small, cli) == before
    # What it took in last cannot be kept, so it takes in no more, and says why.
    until(lambda: "MISCONF" in redis(cli, small, "SET", "late", "yes"), "redis refuses to write")
    done = cli.run("health", "redis")
    assert (done.returncode, "No space left on device" in done.stdout) == (1, True), done.stdout
    (small.data / "filler").unlink()
    until(lambda: cli.run("health", "redis").returncode == 0, "redis is healthy by itself")
    assert redis(cli, small, "SET", "later", "yes") == "OK"
    begin(cli)
    assert states(small, cli).keys() == before.keys()


def fill(path: Path) -> None:
    """Take all the space there is on a disk, the large pieces first."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    size = 0
    for piece in (1 << 24, 1 << 20, 1 << 16, 1 << 12):
        with contextlib.suppress(OSError):
            while True:
                os.posix_fallocate(descriptor, size, piece)
                size += piece
    os.close(descriptor)
