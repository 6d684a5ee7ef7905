"""`config` and `use-config` through a real process, as far as they go without Docker."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aiinfra import loading
from aiinfra.state import State
from aiinfra.target import target_of
from tests.conftest import FIXED_IDENTITY, write_keys
from tests.unit.test_cli import aiinfra, envelope

LITERAL = "sk-proj-SENTINEL0123456789"
OWN = f"""\
# a comment with {LITERAL}
model_list:
  - model_name: default
    litellm_params:
      model: openai/m
      api_key: {LITERAL}
      extra_headers: {{Authorization: "Bearer {LITERAL}", X-Team: a}}
      api_keys: [SENTINEL-a, {{deep: SENTINEL-b}}]
router_settings: {{redis_password: 12345678}}
"""


def own(directory: Path, text: str, name: str = "mine") -> None:
    (directory / "litellm").mkdir(exist_ok=True)
    (directory / "litellm" / f"{name}.yaml").write_text(text, encoding="utf-8")


def data(done: subprocess.CompletedProcess[str]) -> Any:  # noqa: ANN401 - JSON
    return envelope(done)["data"]


def test_list_says_what_each_config_needs_and_what_of_that_is_not_set(tmp_path: Path) -> None:
    write_keys(tmp_path, OPENAI_API_KEY="sk-proj-0123456789abcdefghij")
    own(tmp_path, "model_list: [", "broken")
    rows = {row["name"]: row for row in data(aiinfra(tmp_path, "config", "list", "--json"))["configs"]}
    assert [name for name, row in rows.items() if row["active"]] == ["mock"]
    assert rows["multi-provider"]["needs"] == ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"]
    assert rows["multi-provider"]["missing"] == ["ANTHROPIC_API_KEY"]
    assert "litellm/broken.yaml:1: " in rows["broken"]["fault"]
    assert rows["openai-only"]["what"].startswith("OpenAI's chat models")


@pytest.mark.parametrize("command", [["show"], ["show", "--json"], ["diff", "mock"], ["check", "--quick"]])
def test_no_secret_of_a_config_is_shown_by_any_command(tmp_path: Path, command: list[str]) -> None:
    write_keys(tmp_path)
    own(tmp_path, OWN)
    (tmp_path / "aiinfra.yaml").write_text("provider_config: mine\n", encoding="utf-8")
    done = aiinfra(tmp_path, "config", *command)
    said = done.stdout + done.stderr
    assert said
    assert "SENTINEL" not in said
    assert "12345678" not in said


def test_show_hides_secrets_and_nothing_else(tmp_path: Path) -> None:
    own(tmp_path, OWN)
    shown = data(aiinfra(tmp_path, "config", "show", "mine", "--json"))["config"]
    parameters = shown["model_list"][0]["litellm_params"]
    assert parameters["extra_headers"] == {"Authorization": "****", "X-Team": "a"}
    assert parameters["model"] == "openai/m"


def test_check_ends_with_3_and_names_every_fault_with_file_and_line(tmp_path: Path) -> None:
    write_keys(tmp_path)
    own(tmp_path, OWN)
    done = aiinfra(tmp_path, "config", "check", "mine", "--quick", "--json")
    assert done.returncode == 3
    answer = envelope(done)
    (found,) = answer["data"]["configs"]
    assert {(one["file"], one["line"]) for one in found["faults"]} >= {
        ("litellm/mine.yaml", 6),
        ("litellm/mine.yaml", 7),
    }
    assert answer["error"]["code"] == "PROVIDER_CONFIG_INVALID"


def test_check_all_looks_at_every_config_and_needs_no_engine_when_quick(tmp_path: Path) -> None:
    write_keys(tmp_path)
    done = aiinfra(tmp_path, "config", "check", "--all", "--quick", "--json", DOCKER_HOST="unix:///nowhere.sock")
    usable = {one["name"]: one["usable"] for one in json.loads(done.stdout)["data"]["configs"]}
    assert usable == {
        "anthropic-only": False,
        "mock": True,
        "multi-provider": False,
        "openai-only": False,
        "production-fallback": False,
    }


def test_diff_names_aliases_models_variables_and_settings(tmp_path: Path) -> None:
    found = data(aiinfra(tmp_path, "config", "diff", "openai-only", "anthropic-only", "--json"))
    assert "claude-sonnet-5-5" in found["aliases_added"]
    assert "embedding" in found["aliases_removed"]
    assert "mpc-script -> anthropic/claude-sonnet-5-5" in found["models_added"]
    assert (found["variables_added"], found["variables_removed"]) == (["ANTHROPIC_API_KEY"], ["OPENAI_API_KEY"])
    text = aiinfra(tmp_path, "config", "diff", "multi-provider", "openai-only").stdout
    assert "~ router_settings.disable_cooldowns: (not set) -> True" in text


@pytest.mark.parametrize("flags", [[], ["--extends"]])
def test_a_new_config_says_the_same_as_the_one_it_was_made_from(tmp_path: Path, flags: list[str]) -> None:
    made = data(aiinfra(tmp_path, "config", "new", "mine", "--from", "multi-provider", *flags, "--json"))
    assert made["file"] == str(tmp_path / "litellm" / "mine.yaml")
    assert aiinfra(tmp_path, "config", "diff", "multi-provider", "mine").stdout.endswith("say the same\n")
    assert data(aiinfra(tmp_path, "config", "path", "mine", "--json"))["file"] == made["file"]


@pytest.mark.parametrize("name", ["mine", "../mine", "a/b", ".hidden"])
def test_a_new_config_overwrites_nothing_and_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    own(tmp_path, "# mine\n")
    done = aiinfra(tmp_path, "config", "new", name, "--from", "mock")
    assert done.returncode == 2
    assert (tmp_path / "litellm" / "mine.yaml").read_text(encoding="utf-8") == "# mine\n"
    assert [path.name for path in (tmp_path / "litellm").iterdir()] == ["mine.yaml"]


def test_a_config_with_a_fault_is_refused_by_use_config_before_an_engine_is_asked(tmp_path: Path) -> None:
    write_keys(tmp_path)
    done = aiinfra(tmp_path, "use-config", "openai-only", "--json", DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 3
    assert envelope(done)["error"]["details"]["missing"] == ["OPENAI_API_KEY"]


def test_there_is_nothing_to_go_back_to_at_first(tmp_path: Path) -> None:
    done = aiinfra(tmp_path, "use-config", "-")
    assert done.returncode == 2
    assert "aiinfra config list" in done.stderr


def test_the_one_before_is_what_was_chosen_once_the_settings_say_something_else(tmp_path: Path) -> None:
    write_keys(tmp_path)
    own(tmp_path, "model_list: []", "chosen")
    own(tmp_path, "model_list: []", "first")
    space = target_of(tmp_path, None).workspace
    space.prepare()
    space.save(State(FIXED_IDENTITY, choice={"name": "chosen", "settings": "mock", "before": "first"}))
    assert "'first' cannot be used" in aiinfra(tmp_path, "use-config", "-").stderr
    (tmp_path / "aiinfra.yaml").write_text("provider_config: openai-only\n", encoding="utf-8")
    assert "'chosen' cannot be used" in aiinfra(tmp_path, "use-config", "-").stderr


def test_what_use_config_chose_counts_until_the_settings_say_something_else(tmp_path: Path) -> None:
    target = target_of(tmp_path, None)
    chosen = State(FIXED_IDENTITY, choice={"name": "openai-only", "settings": "mock", "before": "mock"})
    assert loading.active_config(target.settings, None) == "mock"
    assert loading.active_config(target.settings, chosen) == "openai-only"
    edited = target.settings.model_copy(update={"provider_config": "anthropic-only"})
    assert loading.active_config(edited, chosen) == "anthropic-only"


def test_a_choice_is_remembered_and_a_state_from_before_has_none(tmp_path: Path) -> None:
    space = target_of(tmp_path, None).workspace
    space.prepare()
    space.save(State(FIXED_IDENTITY))
    state = space.state()
    assert state is not None
    assert dict(state.choice) == {}
    space.save(replace(state, choice={"name": "openai-only", "settings": "mock", "before": "mock"}))
    assert data(aiinfra(tmp_path, "config", "list", "--json"))["configs"][3]["active"] is True


def test_chat_with_nothing_to_say_is_wrong_usage(tmp_path: Path) -> None:
    assert aiinfra(tmp_path, "chat", "-").returncode == 2


@pytest.mark.parametrize("command", [["models"], ["chat", "hello"]])
def test_a_stack_that_never_ran_serves_no_models(tmp_path: Path, command: list[str]) -> None:
    done = aiinfra(tmp_path, *command, "--json")
    assert done.returncode == 1
    assert envelope(done)["error"]["code"] == "NOT_RUNNING"
