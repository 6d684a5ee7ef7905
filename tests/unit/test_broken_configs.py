"""Provider configs that LiteLLM refuses late, or never: what our check says about each, and where."""

from pathlib import Path

import pytest

import broken_configs
from aiinfra import providers
from aiinfra.errors import AiinfraError
from tests.broken import FOLDER, Case, cases
from tests.conftest import STRONG_KEYS

CASES = cases()


def said(case: Case, directory: Path) -> list[str]:
    """Every fault, as a user reads it."""
    case.put(directory)
    values = {**STRONG_KEYS, **case.variables}
    try:
        config = providers.load(case.name, directory, values)
    except AiinfraError as error:
        return [error.message]
    return [str(one) for one in providers.faults(config, values, ".env") if one.severity == case.severity]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_config_is_refused_with_file_line_and_fix(case: Case, tmp_path: Path) -> None:
    place = f"litellm/{case.file}:{case.line}: "
    matching = [text for text in said(case, tmp_path) if text.startswith(place) and case.ours in text]
    assert matching, said(case, tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_else_is_said_about_a_config_with_one_mistake(case: Case, tmp_path: Path) -> None:
    variables = {"29-callback-variable": 2}
    assert len(said(case, tmp_path)) == variables.get(case.name, 1)


def test_every_file_is_a_case() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"cases.yaml", "litellm.json"}
    assert files == {case.file for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_value_of_a_variable_is_in_what_is_said(case: Case, tmp_path: Path) -> None:
    text = "\n".join(said(case, tmp_path))
    secrets = [value for value in case.variables.values() if len(value) > 8]
    assert [value for value in secrets if value in text] == []
    assert "sk-proj-0123456789" not in text


def test_the_table_in_the_documentation_is_what_the_check_says() -> None:
    assert broken_configs.TABLE.read_text(encoding="utf-8") == broken_configs.table(), "run tools/broken_configs.py"


def test_the_table_in_the_readme_is_of_the_same_cases() -> None:
    assert broken_configs.README.read_text(encoding="utf-8") == broken_configs.readme(), "run tools/broken_configs.py"
