"""Redis as the stack configures it, on a disk whose syncs take long."""

import contextlib
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, STRONG_KEYS
from tests.e2e.blows import connected_to_redis
from tests.e2e.conftest import docker
from tests.private_engine import until

HERE = Path(__file__).parent
RENDERED = REPOSITORY / "tests" / "golden" / "cases" / "mock" / "expected"
PASSWORD = STRONG_KEYS["REDIS_PASSWORD"]


@pytest.fixture(name="redis")
def _redis(tmp_path: Path) -> Iterator[str]:
    name, library = f"aiinfra-test-{uuid.uuid4().hex[:8]}", tmp_path / "slow_disk.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(HERE / "slow_disk.c")], check=True)
    (rendered,) = RENDERED.glob("redis-*")
    shutil.copytree(rendered, tmp_path / "redis")
    mounts = [f"--volume={tmp_path / 'redis'}:/etc/redis:ro", f"--volume={library}:/slow_disk.so:ro", "--volume=/data"]
    entry = ["--entrypoint=redis-server", "redis:8.0", "/etc/redis/redis.conf"]
    docker("run", "--detach", f"--name={name}", "--env=LD_PRELOAD=/slow_disk.so", *mounts, *entry)
    try:
        until(lambda: bool(written(name, seconds=0)), "Redis answers")
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


def written(container: str, *, seconds: float) -> list[str]:
    """Write one key after the other for so long; returns those that were acknowledged."""
    keys, until_then = list[str](), time.monotonic() + seconds
    with contextlib.suppress(OSError), connected_to_redis(PASSWORD, container) as ask:
        while ask(f"SET {len(keys)} kept") == "+OK":
            keys.append(str(len(keys)))
            if time.monotonic() > until_then:
                break
    return keys


def test_what_was_acknowledged_while_a_sync_was_under_way_survives_a_kill(redis: str) -> None:
    # In the middle of a sync, whenever the last one began: of two kills half a second apart one is.
    for seconds in (3.5, 4.0):
        keys = written(redis, seconds=seconds)
        docker("kill", "--signal", "KILL", redis)
        docker("start", redis)
        until(lambda: bool(written(redis, seconds=0)), "Redis answers")
        with connected_to_redis(PASSWORD, redis) as ask:
            assert [key for key in keys if ask(f"GET {key}") != "kept"] == []
