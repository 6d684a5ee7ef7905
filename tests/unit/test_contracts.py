"""What holds for every command alike: the envelope, its schema, where data and talk go, colours."""

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

import envelope_schema
from aiinfra.cli.boundary import application
from aiinfra.errors import Code
from tests.conftest import OWN_ENVIRONMENT
from tests.contracts import COMMANDS
from tests.keyboard import terminal
from tests.unit.test_cli import aiinfra

AIINFRA = [sys.executable, "-m", "aiinfra"]

SCHEMA = json.loads(envelope_schema.SCHEMA.read_text(encoding="utf-8"))


def commands_of_the_application() -> set[str]:
    found = set()
    root: Any = typer.main.get_command(application())
    for name in root.list_commands(None):
        inner = getattr(root.get_command(None, name), "commands", None)
        found |= {f"{name} {one}" for one in inner} if inner else {name}
    return found


def test_every_command_has_a_row_in_the_table_of_contracts() -> None:
    assert set(COMMANDS) == commands_of_the_application(), "add the new command to tests/contracts.py"


def test_the_schema_in_the_repository_is_a_schema_and_what_the_code_says() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert envelope_schema.schema() == SCHEMA, "run `make reference`"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_failure_is_one_valid_object_on_stdout_and_nothing_else(tmp_path: Path, name: str) -> None:
    done = aiinfra(tmp_path, "--json", *COMMANDS[name].fails, PATH="/nonexistent")
    assert len(done.stdout.splitlines()) == 1, done.stdout
    answer = json.loads(done.stdout)
    jsonschema.validate(answer, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert (answer["command"], answer["error"]["code"]) == (name, COMMANDS[name].code)
    assert done.returncode == Code[COMMANDS[name].code].exit_code
    assert done.stderr == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_without_json_a_failure_leaves_stdout_empty_and_says_what_to_do(tmp_path: Path, name: str) -> None:
    done = aiinfra(tmp_path, *COMMANDS[name].fails, PATH="/nonexistent")
    assert done.stdout == ""
    first, *rest = done.stderr.splitlines()
    assert first.startswith("error: ")
    assert rest


@pytest.mark.parametrize(
    ("variables", "options", "coloured"),
    [({}, [], True), ({"NO_COLOR": "1"}, [], False), ({}, ["--no-color"], False)],
)
def test_a_terminal_has_colours_unless_they_are_not_wanted(
    tmp_path: Path, variables: dict[str, str], options: list[str], *, coloured: bool
) -> None:
    environment = {name: value for name, value in OWN_ENVIRONMENT.items() if name not in ("NO_COLOR", "CI")}
    environment |= variables
    with terminal([*AIINFRA, "env", *options], directory=tmp_path, environment=environment) as one:
        assert one.wait() == 1
        assert (b"\x1b[31m" in one.written) is coloured


def test_a_pipe_has_no_colours(tmp_path: Path) -> None:
    done = aiinfra(tmp_path, "env", NO_COLOR="")
    assert "\x1b" not in done.stdout + done.stderr
