"""`prune` and `reset`, on an engine of their own: what is ours and unused goes, and nothing else."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from aiinfra.workspace import Workspace
from tests.e2e.apart import apart, begin, engine, new_stack
from tests.e2e.conftest import Cli
from tests.private_engine import PrivateEngine

__all__ = ["apart", "engine"]

LITELLM, API = {"org.aiinfra.service": "litellm"}, {"org.aiinfra.service": "mpc-api"}


def built(engine: PrivateEngine, folder: Path, words: str, labels: Mapping[str, str]) -> None:
    """Build an image whose layers come out of a stage that is only in the build cache."""
    stages = (
        f"FROM redis:8.0 AS build\nRUN {words} && seq 100000 > /tmp/x\nFROM redis:8.0\nCOPY --from=build /tmp/x /x\n"
    )
    (folder / "Dockerfile").write_text(stages)
    options = [f"--label={key}={value}" for key, value in labels.items()]
    engine.docker("buildx", "build", "--load", "--provenance=false", *options, "-t", "built:1", str(folder))
    engine.docker("rmi", "built:1")


def cached(engine: PrivateEngine) -> str:
    return engine.docker("buildx", "du", "--verbose")


@pytest.fixture
def dead(command: Path, apart: Cli, engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A stack whose containers are stopped and whose directory is gone."""
    begin(apart)
    one = new_stack(command, tmp_path_factory.mktemp("dead"), engine)
    begin(one)
    ids = engine.docker("ps", "-q", "--filter", f"label=org.aiinfra.stack={one.stack}").split()
    engine.docker("kill", *ids)
    shutil.rmtree(one.directory)
    return one


def test_prune_shows_sizes_first_removes_what_is_ours_and_unused_and_nothing_else(
    apart: Cli, dead: Cli, engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("build")
    built(engine, folder, ": aiinfra-build", API)
    built(engine, folder, ": foreign", {"a": "b"})
    for tag, labels in (
        ("aiinfra-litellm:old", LITELLM),
        ("aiinfra-litellm:kept", LITELLM),
        ("aiinfra-mpc-api:used", API),
        ("aiinfra-mpc-api:theirs", {}),
    ):
        engine.tiny(tag, size=100_000, labels=labels)
    (apart.directory / ".aiinfra" / apart.stack / "generation.json").write_text('{"image": "aiinfra-litellm:kept"}')
    engine.docker("create", "--name", "foreign", "-v", "foreign-data:/data", "aiinfra-mpc-api:used")
    engine.docker("network", "create", "foreign-net")
    before = engine.images()
    dry = apart.ok("prune", "--dry-run")
    assert dry["removed"] is False
    assert {"container", "network", "image", "cache"} == {one["kind"] for one in dry["items"]}
    assert [one["size"] for one in dry["items"] if one["name"] == "aiinfra-litellm:old"] == [
        pytest.approx(1e5, rel=0.1)
    ]
    assert apart.fails("prune", exit_code=5)["code"] == "CONFIRMATION_NEEDED"
    assert engine.images() == before

    assert apart.ok("prune", "--yes") == {**dry, "removed": True}
    assert before - engine.images() == {"aiinfra-litellm:old"}
    assert ": aiinfra-build" not in cached(engine)
    assert ": foreign" in cached(engine)
    names = engine.docker("ps", "-a", "--format", "{{.Names}}").split()
    assert set(names) == {"foreign", *(f"{apart.stack}-{one}-1" for one in ("redis", "litellm", "mpc-api", "edge"))}
    assert {"foreign-net", f"{apart.stack}-network"} <= set(
        engine.docker("network", "ls", "--format", "{{.Name}}").split()
    )
    assert apart.ok("prune", "--yes")["items"] == []

    # The data of a stack whose directory is gone may be all that is left of it: only when asked.
    volumes = engine.docker("volume", "ls", "-q").split()
    assert f"{dead.stack}-redis-data" in volumes
    result = apart.ok("prune", "--volumes", "--yes")
    assert [one["name"] for one in result["items"]] == [f"{dead.stack}-redis-data"]
    assert set(volumes) - set(engine.docker("volume", "ls", "-q").split()) == {f"{dead.stack}-redis-data"}
    for tag in ("aiinfra-litellm:kept", "aiinfra-mpc-api:theirs"):
        engine.docker("rmi", tag)


def test_prune_waits_for_nobody_and_names_who_works_on_a_stack(apart: Cli, engine: PrivateEngine) -> None:
    begin(apart)
    engine.tiny("aiinfra-litellm:old", labels=LITELLM)
    with Workspace(apart.directory, apart.stack).lock("up", wait=0, on_wait=print):
        error = apart.fails("prune", "--yes", exit_code=6)
    assert (error["code"], "`aiinfra up`" in error["message"]) == ("STACK_LOCKED", True)
    apart.ok("prune", "--yes")


def test_reset_leaves_nothing_of_the_stack_and_all_of_its_neighbour_in_the_same_directory(
    command: Path, apart: Cli, engine: PrivateEngine
) -> None:
    begin(apart)
    neighbour = new_stack(command, apart.directory, engine)
    begin(neighbour)
    before = neighbour.ids()
    engine.tiny("aiinfra-litellm:mine", labels=LITELLM)
    (apart.directory / ".aiinfra" / apart.stack / "generation.json").write_text('{"image": "aiinfra-litellm:mine"}')
    error = apart.fails("reset", "--keys", "--images", exit_code=5)
    assert f"volume {apart.stack}-redis-data, with all the data in it" in error["details"]["items"]
    result = apart.ok("reset", "--keys", "--images", "--no-backup", "--yes")
    assert {f"{apart.stack}-redis-data", "aiinfra-litellm:mine", f"{apart.stack}-network"} <= set(result["removed"])
    assert not (apart.directory / ".aiinfra" / apart.stack).exists()
    assert not (apart.directory / f".env.{apart.stack}").exists()
    listings = (["ps", "-a"], ["network", "ls"], ["volume", "ls"])
    for listing in listings:
        found = engine.docker(*listing, "--format", "json").splitlines()
        assert not [one for one in found if apart.stack in json.dumps(one)]
    assert "aiinfra-litellm:mine" not in engine.images()
    assert neighbour.ids() == before
    assert neighbour.keys()
    assert apart.ok("reset", "--no-backup", "--yes")["removed"] == []


def test_reset_takes_its_own_keys_out_of_the_env_and_leaves_the_providers(apart: Cli) -> None:
    apart.environment["AIINFRA_STACK"] = "ai-infra"
    apart.ok("init")
    env = apart.directory / ".env"
    env.write_text(env.read_text() + "OPENAI_API_KEY=sk-kept\n")
    apart.ok("reset", "--keys", "--no-backup", "--yes")
    kept = [line for line in env.read_text().splitlines() if line and not line.startswith("#")]
    assert kept == ["OPENAI_API_KEY=sk-kept"]


def test_reset_refuses_a_stack_of_another_directory(apart: Cli, tmp_path_factory: pytest.TempPathFactory) -> None:
    begin(apart)
    elsewhere = Cli(apart.command, tmp_path_factory.mktemp("elsewhere"), apart.stack, dict(apart.environment))
    assert elsewhere.fails("reset", "--no-backup", "--yes", exit_code=1)["code"] == "STACK_ELSEWHERE"


def test_reset_declined_on_a_terminal_touches_nothing(apart: Cli) -> None:
    begin(apart)
    words = [str(apart.command), "-s", apart.stack, "-C", str(apart.directory), "reset", "--no-backup"]
    shell = f"DOCKER_HOST={apart.environment['DOCKER_HOST']} {' '.join(words)}"
    done = subprocess.run(
        ["script", "-qec", shell, "/dev/null"], input="n\n", capture_output=True, text=True, check=False
    )
    assert (done.returncode, "nothing was done" in done.stdout) == (1, True), done.stdout
    assert len(apart.ids()) == 4
