"""A directory that needs no aiinfra: what is in it, and what is not."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import OWN_ENVIRONMENT, STRONG_KEYS, write_keys


def eject(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aiinfra", "eject", *arguments],
        cwd=directory,
        env={**OWN_ENVIRONMENT, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(name="out")
def _out(tmp_path: Path) -> Path:
    write_keys(tmp_path)
    (tmp_path / "aiinfra.yaml").write_text("services: {mpc-api: {replicas: 3}}\n")
    done = eject(tmp_path, "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "docker compose up --wait" in done.stderr
    return tmp_path / "out"


def test_everything_that_the_compose_file_names_is_in_the_directory_and_nothing_points_outside(out: Path) -> None:
    text = (out / "compose.yaml").read_text()
    compose = yaml.safe_load(text)
    assert set(compose["services"]) == {"redis", "litellm", "mpc-api", "edge"}
    mounts = [one for service in compose["services"].values() for one in service["volumes"] if one["type"] == "bind"]
    contexts = [service["build"]["context"] for service in compose["services"].values() if "build" in service]
    assert len(contexts) == 2
    for source in (*(one["source"] for one in mounts), *contexts):
        assert source.startswith("./")
        assert (out / source).is_dir(), source
    assert str(out.parent) not in text
    assert "org.aiinfra" not in text


def test_replicas_ports_and_the_volume_are_those_of_the_stack(out: Path) -> None:
    compose = yaml.safe_load((out / "compose.yaml").read_text())
    assert compose["services"]["mpc-api"]["scale"] == 3
    assert [port["published"] for port in compose["services"]["edge"]["ports"]] == ["4000", "3000"]
    assert compose["volumes"] == {"redis-data": {"name": "mpc-redis-data"}}
    assert "server mpc-api-3 ai-infra-mpc-api-3:3000" in (out / "edge" / "haproxy.cfg").read_text()


def test_secrets_are_in_files_that_only_their_reader_can_read(out: Path) -> None:
    assert (out / "mpc-api-secrets" / "MPC_API_KEY").read_text() == STRONG_KEYS["MPC_API_KEY"]
    assert (out / "mpc-api-secrets" / "MPC_API_KEY").stat().st_mode & 0o777 == 0o400
    assert out.stat().st_mode & 0o777 == 0o700
    public = [path for path in out.rglob("*") if path.is_file() and not path.parent.name.endswith("-secrets")]
    texts = [path.read_text(errors="replace") for path in public]
    assert [key for key in STRONG_KEYS.values() for text in texts if key in text] == []


def test_a_directory_that_is_not_empty_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    write_keys(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    done = eject(tmp_path, "out")
    assert (done.returncode, "is not an empty directory" in done.stderr) == (2, True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "out"]
