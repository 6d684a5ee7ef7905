"""The entry point is started as the image starts it: as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENTRYPOINT = Path(__file__).resolve().parent.parent / "entrypoint.py"
SHOW = [sys.executable, "-c", "import os, sys; sys.stdout.buffer.write(os.environb[b'KEY'])"]


def start(command: list[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    given = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run([sys.executable, ENTRYPOINT, *command], env=given, capture_output=True, check=False)


def failed(done: subprocess.CompletedProcess[bytes], code: int, *words: str) -> None:
    said = done.stderr.decode()
    assert done.returncode == code, said
    assert said.count("\n") == 1
    assert all(word in said for word in words), said


@pytest.mark.parametrize("value", [b"plain", b"  spaced \n", "ключ$`'\"\\\r\n".encode(), b""])
def test_a_secret_arrives_byte_for_byte(tmp_path: Path, value: bytes) -> None:
    (tmp_path / "KEY").write_bytes(value)
    done = start(SHOW, AIINFRA_SECRETS_DIR=str(tmp_path), KEY="from the environment")
    assert done.returncode == 0, done.stderr
    assert done.stdout == value


def test_the_command_takes_over_the_process() -> None:
    with subprocess.Popen(
        [sys.executable, ENTRYPOINT, sys.executable, "-c", "import os; print(os.getpid())"],
        env={"AIINFRA_SECRETS_DIR": "/nowhere"},
        stdout=subprocess.PIPE,
    ) as process:
        said, _ = process.communicate()
    assert said.decode().strip() == str(process.pid)


def test_dot_files_and_directories_are_no_secrets(tmp_path: Path) -> None:
    (tmp_path / ".KEY.swp").write_bytes(b"\xff")
    (tmp_path / "FOLDER").mkdir()
    assert start(SHOW, AIINFRA_SECRETS_DIR=str(tmp_path), KEY="kept").stdout == b"kept"


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [("KEY", b"\xff\xfe", "UTF-8"), ("KEY", b"a\0b", "NUL"), ("my-key", b"x", "name"), ("key.txt", b"x", "name")],
)
def test_a_bad_secret_file_is_named(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    (tmp_path / name).write_bytes(content)
    failed(start(SHOW, AIINFRA_SECRETS_DIR=str(tmp_path)), 78, str(tmp_path / name), word)


def test_an_unreadable_secret_file_is_named(tmp_path: Path) -> None:
    # Reading it fails for root too: a process's memory has nothing at address 0.
    (tmp_path / "KEY").symlink_to("/proc/self/mem")
    failed(start(SHOW, AIINFRA_SECRETS_DIR=str(tmp_path)), 78, str(tmp_path / "KEY"), "Input/output error")


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "config.yaml")
    failed(start(SHOW, AIINFRA_SECRETS_DIR=str(tmp_path), CONFIG_FILE_PATH=missing), 78, missing, "No such file")


def test_a_missing_command_is_named() -> None:
    failed(start(["no-such-command"], AIINFRA_SECRETS_DIR="/nowhere"), 127, "no-such-command")
    failed(start([], AIINFRA_SECRETS_DIR="/nowhere"), 64, "no command")
