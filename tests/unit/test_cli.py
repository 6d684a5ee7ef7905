"""The command line through a real process, as far as it goes without Docker."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aiinfra import __version__
from aiinfra.errors import Code
from tests.conftest import OWN_ENVIRONMENT, write_keys

VERBS = (
    ["init"],
    ["up"],
    ["plan"],
    ["restart"],
    ["rebuild"],
    ["history"],
    ["rollback"],
    ["eject"],
    ["down"],
    ["ps"],
    ["health"],
    ["logs"],
    ["generate", "script", "x"],
)


def aiinfra(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aiinfra", *arguments],
        cwd=directory,
        env={**OWN_ENVIRONMENT, "NO_COLOR": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def envelope(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(done.stdout)
    assert set(data) == {"schema_version", "command", "status", "data", "warnings", "error"}
    assert data["schema_version"] == 1
    assert (data["status"] == "error") == (data["error"] is not None) == (done.returncode != 0)
    if data["error"] is not None:
        assert set(data["error"]) == {"code", "message", "hint", "details"}
        assert Code[data["error"]["code"]].exit_code == done.returncode
    return data


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "--no-color"]])
def test_the_version_is_printed_alone(tmp_path: Path, arguments: list[str]) -> None:
    done = aiinfra(tmp_path, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"aiinfra {__version__}\n", "")


@pytest.mark.parametrize("verb", [[], *VERBS, ["ls"], ["generate", "thumbnail-prompt"], ["generate", "metadata"]])
def test_every_verb_has_help_with_the_global_options(tmp_path: Path, verb: list[str]) -> None:
    done = aiinfra(tmp_path, *verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--json" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["up", "--nonsense"], ["up", "--timeout", "x"], ["logs", "mysql"], ["logs", "-n", "few"]],
)
def test_wrong_usage_is_exit_code_2_and_says_where_help_is(tmp_path: Path, arguments: list[str]) -> None:
    done = aiinfra(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("before", [True, False])
def test_json_may_stand_before_or_after_the_verb_and_covers_wrong_usage(tmp_path: Path, *, before: bool) -> None:
    arguments = ["--json", "up", "--nonsense"] if before else ["up", "--nonsense", "--json"]
    data = envelope(aiinfra(tmp_path, *arguments))
    assert data["error"]["code"] == "USAGE"


def test_init_writes_three_files_once_and_never_over_them(tmp_path: Path) -> None:
    first = envelope(aiinfra(tmp_path, "init", "--json"))
    assert first["data"]["written"] == ["aiinfra.yaml", ".gitignore", ".env"]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = aiinfra(tmp_path, "init")
    assert again.stdout.splitlines() == [
        f"kept     {tmp_path / name}" for name in ("aiinfra.yaml", ".gitignore", ".env")
    ]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("verb", VERBS)
def test_bad_settings_are_exit_code_3_for_every_verb_before_docker_is_asked(tmp_path: Path, verb: list[str]) -> None:
    (tmp_path / "aiinfra.yaml").write_text("prots: {}\n")
    done = aiinfra(tmp_path, *verb, "--json", PATH="/nonexistent")
    assert envelope(done)["error"]["code"] == "SETTINGS_INVALID"
    assert done.returncode == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aiinfra.yaml"]


@pytest.mark.parametrize("verb", ["up", "ps", "down"])
def test_a_machine_without_docker_is_exit_code_4_with_the_place_to_get_it(tmp_path: Path, verb: str) -> None:
    write_keys(tmp_path)
    done = aiinfra(tmp_path, verb, PATH="/nonexistent")
    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        "error: there is no `docker` command on this machine",
        "  install Docker with its Compose plugin: https://docs.docker.com/engine/install/",
    ]


def test_a_directory_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    done = aiinfra(tmp_path, "-C", "nowhere", "ps")
    assert (done.returncode, "nowhere is not a directory" in done.stderr) == (2, True)


def test_a_stack_name_that_docker_would_refuse_is_wrong_usage(tmp_path: Path) -> None:
    assert aiinfra(tmp_path, "--stack", "Not A Name", "ps").returncode == 2


@pytest.mark.parametrize("order", ["before", "after"])
def test_an_option_beats_the_environment_wherever_it_stands(tmp_path: Path, order: str) -> None:
    (tmp_path / "here").mkdir()
    option = ["-C", "here", "-s", "named"]
    arguments = [*option, "init"] if order == "before" else ["init", *option]
    done = aiinfra(tmp_path, *arguments, AIINFRA_STACK="other", AIINFRA_DIRECTORY="/nonexistent")
    assert (done.returncode, (tmp_path / "here" / ".env.named").exists()) == (0, True), done.stderr


def test_the_environment_names_stack_and_directory_where_no_option_does(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert aiinfra(tmp_path, "init", AIINFRA_STACK="other", AIINFRA_DIRECTORY="here").returncode == 0
    assert (tmp_path / "here" / ".env.other").exists()


def test_init_makes_a_stack_directory_where_one_stands_also_below_another(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    aiinfra(tmp_path, "init")
    assert envelope(aiinfra(below, "init", "--json"))["data"]["directory"] == str(below)


def test_a_hint_names_the_stack_that_was_given(tmp_path: Path) -> None:
    done = aiinfra(tmp_path, "-s", "named", "health")
    assert "`aiinfra -s named up`" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["generate"]])
def test_no_arguments_show_the_help(tmp_path: Path, arguments: list[str]) -> None:
    done = aiinfra(tmp_path, *arguments)
    assert (done.returncode, done.stdout.startswith("Usage: aiinfra"), done.stderr) == (0, True, "")


def test_wrong_usage_names_its_verb_in_json(tmp_path: Path) -> None:
    assert envelope(aiinfra(tmp_path, "generate", "--json", "script"))["command"] == "generate script"


def test_generate_without_a_subject_is_wrong_usage(tmp_path: Path) -> None:
    assert aiinfra(tmp_path, "generate", "metadata").returncode == 2


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"cd {gone} && rmdir {gone} && {sys.executable} -m aiinfra ps"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, "the current directory is not a directory" in done.stderr) == (2, True), done.stderr


def test_a_misspelt_base_image_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "aiinfra.yaml").write_text('build: {base_images: {"redis:9.9": x}}\n')
    write_keys(tmp_path)
    done = aiinfra(tmp_path, "up", "--json")
    assert "haproxy:3.0, python:3.13-slim-trixie, redis:8.0" in envelope(done)["error"]["hint"]


@pytest.mark.parametrize("stream", [">&-", ">/dev/full"])
def test_a_closed_or_full_output_shows_no_traceback(tmp_path: Path, stream: str) -> None:
    command = f"{sys.executable} -m aiinfra init {stream}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_health_of_a_stack_that_never_ran_says_how_to_start_it(tmp_path: Path) -> None:
    done = aiinfra(tmp_path, "health")
    assert (done.returncode, "`aiinfra up`" in done.stderr) == (1, True)


def test_generate_without_a_stack_says_how_to_start_it(tmp_path: Path) -> None:
    data = envelope(aiinfra(tmp_path, "generate", "script", "Volcanoes", "--json"))
    assert data["error"]["code"] == "NOT_RUNNING"


def test_verbose_shows_the_docker_commands_as_they_are_run(tmp_path: Path) -> None:
    done = aiinfra(tmp_path, "ps", "-v", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert done.returncode == 4
    shown = [line for line in done.stderr.splitlines() if line.startswith("$ ")]
    assert shown
    assert shown[0].startswith("$ docker ps -aq --no-trunc --filter label=com.docker.compose.project=ai-infra")


def test_a_hint_names_the_stack_that_was_asked_for_once(tmp_path: Path) -> None:
    write_keys(tmp_path)
    (tmp_path / "aiinfra.yaml").write_text("prots: {}\n")
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = aiinfra(tmp_path, "-s", "one", "doctor", **nowhere)
    assert "-s one -s one" not in done.stdout + done.stderr
    (tmp_path / "aiinfra.yaml").unlink()
    done = aiinfra(tmp_path, "-s", "one", "doctor", **nowhere)
    assert "`aiinfra -s one up`" in done.stdout
