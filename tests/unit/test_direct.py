"""Which socket is looked at directly: the one that `docker` would use, where that is plain to see."""

import json
from pathlib import Path

import pytest

from aiinfra.engine.direct import address_in

DEFAULT = "/var/run/docker.sock"


@pytest.fixture(name="environment")
def _environment(tmp_path: Path) -> dict[str, str]:
    """A machine with a docker command, and a user without any configuration."""
    (tmp_path / "docker").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    return {"PATH": str(tmp_path), "HOME": str(tmp_path)}


def configure(environment: dict[str, str], text: str) -> None:
    folder = Path(environment["HOME"], ".docker")
    folder.mkdir()
    (folder / "config.json").write_text(text, encoding="utf-8")


def test_without_any_word_it_is_docker_s_own(environment: dict[str, str]) -> None:
    assert address_in(environment) == DEFAULT


@pytest.mark.parametrize(
    ("host", "address"),
    [("unix:///run/other.sock", "/run/other.sock"), ("tcp://10.0.0.1:2376", None), ("ssh://user@host", None)],
)
def test_a_host_is_followed_where_it_is_a_socket(environment: dict[str, str], host: str, address: str | None) -> None:
    assert address_in({**environment, "DOCKER_HOST": host, "DOCKER_CONTEXT": "default"}) == address


def test_a_context_is_left_to_docker(environment: dict[str, str]) -> None:
    assert address_in({**environment, "DOCKER_CONTEXT": "remote"}) is None
    configure(environment, json.dumps({"currentContext": "desktop-linux"}))
    assert address_in(environment) is None
    assert address_in({**environment, "DOCKER_CONTEXT": "default"}) == DEFAULT


def test_another_folder_of_configuration_counts(environment: dict[str, str], tmp_path: Path) -> None:
    configure(environment, json.dumps({"currentContext": "remote"}))
    assert address_in({**environment, "DOCKER_CONFIG": str(tmp_path / "none")}) == DEFAULT


@pytest.mark.parametrize("text", ["{", "[]", "\udcff"])
def test_a_configuration_that_cannot_be_read_is_left_to_docker(environment: dict[str, str], text: str) -> None:
    folder = Path(environment["HOME"], ".docker")
    folder.mkdir()
    (folder / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert address_in(environment) is None


def test_without_a_docker_command_nothing_is_looked_at(environment: dict[str, str]) -> None:
    assert address_in({**environment, "PATH": "/nonexistent"}) is None
