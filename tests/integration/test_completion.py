"""Tab, in the real shells."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import shells
from aiinfra.state import State
from aiinfra.workspace import Workspace
from tests.conftest import FIXED_IDENTITY, OWN_ENVIRONMENT
from tests.keyboard import terminal

pytestmark = pytest.mark.engine

COMMAND = Path(sys.executable).parent / "aiinfra"


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    """A stack directory with a stack called `second`, and a provider config called `mine`."""
    space = Workspace(tmp_path, "second")
    space.prepare()
    space.save(State(FIXED_IDENTITY))
    (tmp_path / "litellm").mkdir()
    (tmp_path / "litellm" / "mine.yaml").write_text("model_list: []\n")
    return tmp_path


@pytest.fixture(name="environment", params=["an engine", "no engine", "no docker"])
def _environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = {**OWN_ENVIRONMENT, "PATH": f"{COMMAND.parent}:{OWN_ENVIRONMENT['PATH']}"}
    if request.param == "no engine":
        found["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    if request.param == "no docker":
        folder = tmp_path_factory.mktemp("bin")
        for name in ("bash", "env", "sh"):
            (folder / name).symlink_to(shutil.which(name) or "")
        found["PATH"] = f"{COMMAND.parent}:{folder}"
    return found


def bash(line: str, directory: Path, environment: dict[str, str]) -> list[str]:
    """Ask the function that `complete` registered, as bash itself does at a Tab."""
    words = line.split(" ")
    script = f"""
        source <(aiinfra completion bash)
        COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
        [[ $(complete -p aiinfra) == *" -F _aiinfra aiinfra" ]] && _aiinfra aiinfra
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=directory, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_services_choices_and_stacks_with_and_without_an_engine(
    directory: Path, environment: dict[str, str]
) -> None:
    wanted = {
        "aiinfra heal": ["health"],
        "aiinfra logs ": ["redis", "litellm", "mpc-api", "edge"],
        "aiinfra exec m": ["mpc-api"],
        "aiinfra logs --level e": ["error"],
        "aiinfra --stack sec": ["second"],
        "aiinfra ps -s sec": ["second"],
    }
    assert {line: bash(line, directory, environment) for line in wanted} == wanted


def test_bash_says_nothing_where_settings_are_broken(directory: Path, environment: dict[str, str]) -> None:
    (directory / "aiinfra.yaml").write_text("{{{")
    assert bash("aiinfra -s sec", directory, environment) == ["second"]


@pytest.fixture(name="installed", scope="module")
def _installed() -> None:
    shells.install([])


def here() -> dict[str, str]:
    return {**OWN_ENVIRONMENT, "PATH": f"{COMMAND.parent}:{OWN_ENVIRONMENT['PATH']}", "DOCKER_HOST": "unix:///nowhere"}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("line", "expected"), [("logs red", "redis"), ("ps --stack sec", "second")])
def test_fish_completes(directory: Path, line: str, expected: str) -> None:
    script = f"aiinfra completion fish | source; complete --do-complete 'aiinfra {line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], cwd=directory, env=here(), capture_output=True, text=True, check=True
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [expected]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("line", "expected"), [("logs red", "logs redis"), ("ps --stack sec", "ps --stack second")])
def test_zsh_completes_at_a_tab(directory: Path, line: str, expected: str) -> None:
    environment = {**here(), "HOME": str(directory)}
    with terminal(["zsh", "-f", "-i"], directory=directory, environment=environment) as one:
        one.press(
            "PROMPT='> '; autoload -Uz compinit; compinit -u -D; source <(aiinfra completion zsh); echo re''ady\n"
        )
        one.wait_for("ready")
        one.press(f"aiinfra {line}\t")
        one.wait_for(f"aiinfra {expected}")
