from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stand_ins

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.engine

TOOLS = Path(stand_ins.__file__).parent
TAG = "aiinfra-test-stand-in:haproxy"
# Both take about 0.2 s on a quiet machine.
QUICK_SECONDS = 3.0


def tool(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(path), *arguments], capture_output=True, text=True, check=False)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def stand_in() -> Iterator[str]:
    stand_ins.build("haproxy:3.0", stand_ins.prepare(), tag=TAG)
    yield TAG
    docker("image", "rm", TAG)


def test_an_engine_that_answers_is_left_alone_and_reported_quickly() -> None:
    before = docker("info", "--format", "{{.ID}} {{.ServerVersion}} {{.Containers}}").split()[:2]
    began = time.monotonic()
    done = tool(TOOLS / "engine.py")
    assert time.monotonic() - began < QUICK_SECONDS
    assert done.returncode == 0, done.stderr
    assert "ready in" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert docker("info", "--format", "{{.ID}} {{.ServerVersion}}").split() == before


def test_base_images_that_are_there_stay_as_they_are() -> None:
    first = tool(TOOLS / "base_images.py")
    assert first.returncode == 0, first.stderr
    names = tool(TOOLS / "base_images.py", "--list").stdout.split()
    ids = docker("image", "inspect", "--format", "{{.Id}}", *names)
    began = time.monotonic()
    second = tool(TOOLS / "base_images.py")
    assert time.monotonic() - began < QUICK_SECONDS
    assert second.returncode == 0, second.stderr
    assert len(second.stdout.splitlines()) == 1
    assert docker("image", "inspect", "--format", "{{.Id}}", *names) == ids


def test_a_stand_in_says_that_it_is_one_and_behaves_like_the_original(stand_in: str) -> None:
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", stand_in))
    assert config["Labels"]["org.aiinfra.stand-in"] == "true"
    assert "haproxy:3.0" in config["Labels"]["org.opencontainers.image.description"]
    assert (config["User"], config["StopSignal"]) == ("haproxy", "SIGUSR1")
    assert "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" in config["Env"]
    assert docker("run", "--rm", stand_in, "id", "-u").strip() == "99"
    assert "version 3.0" in docker("run", "--rm", stand_in, "-v")


def test_an_image_that_cannot_be_had_is_named_with_the_ways_out(tmp_path: Path) -> None:
    shutil.copytree(TOOLS, tmp_path / "tools")
    (tmp_path / "services" / "one").mkdir(parents=True)
    (tmp_path / "services" / "one" / "Dockerfile").write_text("FROM registry.invalid/nothing:1\n")
    done = tool(tmp_path / "tools" / "base_images.py")
    assert done.returncode == 1
    assert "registry.invalid/nothing:1" in done.stderr
    assert "docker load" in done.stderr
    assert "build.base_images" in done.stderr
    assert "Traceback" not in done.stderr
