"""`backup` and `restore`: what was in Redis comes back, and nothing is lost on the way."""

import contextlib
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiinfra import archive
from tests.e2e.apart import apart, begin, engine, new_stack
from tests.e2e.conftest import Cli
from tests.private_engine import PrivateEngine, until

__all__ = ["apart", "engine"]


@pytest.fixture(scope="module")
def stack(command: Path, tmp_path_factory: pytest.TempPathFactory, private_engine: PrivateEngine) -> Iterator[Cli]:
    private_engine.clear()
    one = new_stack(command, tmp_path_factory.mktemp("stack"), private_engine)
    begin(one)
    try:
        yield one
    finally:
        private_engine.clear()


def redis(cli: Cli, *words: str) -> str:
    """Run one Redis command in a stack of the private engine."""
    text = f"AUTH {cli.keys()['REDIS_PASSWORD']}\n{' '.join(words)}\n"
    docker = ["docker", "exec", "-i", f"{cli.stack}-redis-1", "redis-cli"]
    done = subprocess.run(
        docker, input=text, env={**cli.environment, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    return done.stdout.split("\n", 1)[1].strip()


def answers(cli: Cli) -> bool:
    with contextlib.suppress(subprocess.CalledProcessError):
        return redis(cli, "PING") == "PONG"
    return False


def test_a_backup_of_a_running_stack_comes_back_and_only_redis_stops(stack: Cli, private_engine: PrivateEngine) -> None:
    (stack.directory / "litellm").mkdir(exist_ok=True)
    (stack.directory / "litellm" / "own.yaml").write_text("model_list: []\n")
    redis(stack, "SET", "before", "yes")
    made = stack.ok("backup", "one.tar.gz")
    assert (made["file"], made["has_secrets"]) == (str(stack.directory / "one.tar.gz"), False)
    assert made["files"] == ["settings/litellm/own.yaml"]
    password = stack.keys()["REDIS_PASSWORD"]
    with tarfile.open(made["file"]) as archive:
        assert "keys" not in archive.getnames()
        assert not any(password.encode() in archive.extractfile(name).read() for name in archive.getnames())  # type: ignore[union-attr]
    redis(stack, "SET", "before", "no")
    redis(stack, "SET", "after", "yes")
    started = {name: private_engine.docker("inspect", "-f", "{{.State.StartedAt}}", name) for name in others(stack)}
    (stack.directory / "litellm" / "own.yaml").write_text("model_list: [] # changed\n")
    assert stack.fails("restore", "one.tar.gz", exit_code=5)["code"] == "CONFIRMATION_NEEDED"
    result = stack.ok("restore", "one.tar.gz", "--yes")
    assert (result["running"], result["keys"]) == (True, made["keys"])
    assert result["differing"] == [str(stack.directory / "litellm" / "own.yaml")]
    assert (redis(stack, "GET", "before"), redis(stack, "EXISTS", "after")) == ("yes", "0")
    assert started == {name: private_engine.docker("inspect", "-f", "{{.State.StartedAt}}", name) for name in started}
    assert stack.ok("restore", "one.tar.gz", "--settings", "--yes")["differing"] == []
    assert (stack.directory / "litellm" / "own.yaml.before-restore").read_text() == "model_list: [] # changed\n"
    # It is written to as before, and what is written survives a crash.
    redis(stack, "SET", "later", "kept")
    private_engine.docker("restart", "-t", "5", f"{stack.stack}-redis-1")
    until(lambda: answers(stack), "redis answers")
    assert redis(stack, "MGET", "later", "before").split() == ["kept", "yes"]


def others(cli: Cli) -> list[str]:
    return [f"{cli.stack}-{name}-1" for name in ("litellm", "mpc-api", "edge")]


def test_a_stack_that_does_not_run_is_backed_up_and_restored_and_stays_stopped(
    stack: Cli, private_engine: PrivateEngine
) -> None:
    redis(stack, "SET", "quiet", "yes")
    keys = int(redis(stack, "DBSIZE"))
    stack.ok("down", "--timeout", "5")
    made = stack.ok("backup", "two.tar.gz", "--keys")
    assert (made["keys"], made["has_secrets"]) == (keys, True)
    assert (stack.directory / "two.tar.gz").stat().st_mode & 0o777 == 0o600
    assert stack.ok("restore", "two.tar.gz", "--yes")["running"] is False
    assert private_engine.docker("ps", "-aq") == ""
    begin(stack)
    assert redis(stack, "GET", "quiet") == "yes"


def test_what_is_no_backup_is_refused_before_anything_is_touched(stack: Cli) -> None:
    redis(stack, "SET", "untouched", "yes")
    stack.ok("backup", "good.tar.gz", "--yes")
    bad = stack.directory / "bad.tar.gz"
    bad.write_bytes((stack.directory / "good.tar.gz").read_bytes()[:-100])
    before = stack.ids()
    for name in ("bad.tar.gz", "missing.tar.gz", "."):
        assert stack.fails("restore", name, "--yes", exit_code=1)["code"] == "BACKUP_INVALID"
    assert (stack.ids(), redis(stack, "GET", "untouched")) == (before, "yes")


def test_data_that_redis_cannot_load_are_refused_while_redis_goes_on(stack: Cli, private_engine: PrivateEngine) -> None:
    redis(stack, "SET", "alive", "yes")
    (stack.directory / "rubbish").write_bytes(b"REDIS0011" + b"\x00garbage" * 100)
    manifest = {"stack": "x", "created": "2026-01-01T00:00:00Z", "version": "1", "keys": 1}
    archive.write(stack.directory / "rubbish.tar.gz", manifest, {"redis.rdb": stack.directory / "rubbish"})
    name = f"{stack.stack}-redis-1"
    started = private_engine.docker("inspect", "-f", "{{.State.StartedAt}}", name)
    error = stack.fails("restore", "rubbish.tar.gz", "--yes", exit_code=1)
    assert error["code"] == "BACKUP_INVALID"
    assert redis(stack, "GET", "alive") == "yes"
    assert private_engine.docker("inspect", "-f", "{{.State.StartedAt}}", name) == started
    assert ".restore" not in private_engine.docker("exec", name, "ls", "-a", "/data").split()


def test_a_redis_that_does_not_let_us_in_gives_no_backup(stack: Cli) -> None:
    # Its user for backups has a password that is made from this.
    state = stack.directory / ".aiinfra" / stack.stack / "state.json"
    good = state.read_text()
    try:
        state.write_text(json.dumps({**json.loads(good), "digest_key": "00" * 32}))
        error = stack.fails("backup", "none.tar.gz", exit_code=1)
    finally:
        state.write_text(good)
    assert (error["code"], "does not let us in" in error["message"]) == ("BACKUP_FAILED", True)
    assert not (stack.directory / "none.tar.gz").exists()


def test_a_redis_that_does_not_come_up_gets_its_old_data_back_by_itself(
    stack: Cli, private_engine: PrivateEngine
) -> None:
    redis(stack, "SET", "which", "old")
    stack.ok("backup", "old.tar.gz", "--yes")
    redis(stack, "SET", "which", "new")
    config = next(stack.directory.glob(f".aiinfra/{stack.stack}/redis-*/redis.conf"))
    good = config.read_text()
    config.write_text(good + "no such directive\n")
    try:
        error = stack.fails("restore", "old.tar.gz", "--yes", exit_code=1)
    finally:
        config.write_text(good)
    assert error["code"] == "RESTORE_FAILED"
    assert "the old data are back" in error["hint"]
    until(lambda: answers(stack), "redis answers with its old data")
    assert redis(stack, "GET", "which") == "new"
    assert private_engine.docker("ps", "-q", "--filter", "label=org.aiinfra.scratch") == ""


def test_reset_makes_a_backup_first_and_the_data_can_be_had_again(apart: Cli, engine: PrivateEngine) -> None:
    begin(apart)
    redis(apart, "SET", "precious", "yes")
    file = apart.ok("reset", "--yes")["backup"]
    assert engine.docker("volume", "ls", "-q") == ""
    apart.ok("restore", file, "--yes")
    begin(apart)
    assert redis(apart, "GET", "precious") == "yes"


def test_a_stack_without_data_has_nothing_to_back_up(apart: Cli) -> None:
    assert apart.fails("backup", exit_code=1)["code"] == "NOT_RUNNING"
