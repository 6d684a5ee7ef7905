"""Provider configs as LiteLLM reads them, compared with what lies beside each aiinfra.yaml."""

from pathlib import Path

import pytest
import yaml

from aiinfra import keys, providers
from aiinfra.providers import ProviderConfig
from aiinfra.target import target_of
from tests.conftest import STRONG_KEYS

CASES = Path(__file__).parent / "provider_configs"
NAMES = sorted(path.name for path in CASES.iterdir())


def variables(case: str) -> dict[str, str]:
    path = CASES / case / "variables"
    return {**STRONG_KEYS, **(keys.read(path) if path.exists() else {})}


def config(case: str) -> ProviderConfig:
    target = target_of(CASES / case, None)
    found = providers.load(target.settings.provider_config, target.directory, variables(case), target.settings.models)
    providers.check(found, variables(case), ".env")
    return found


@pytest.mark.parametrize("case", NAMES)
def test_a_provider_config_renders_to_exactly_the_expected_text(case: str, request: pytest.FixtureRequest) -> None:
    expected = CASES / case / "expected.yaml"
    if request.config.getoption("--update-golden"):
        expected.write_text(config(case).text, encoding="utf-8")
    assert config(case).text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", NAMES)
def test_the_text_and_the_data_of_a_config_say_the_same(case: str) -> None:
    found = config(case)
    assert yaml.safe_load(found.text) == found.data


@pytest.mark.parametrize("case", NAMES)
def test_no_value_of_a_variable_is_in_a_rendered_config(case: str) -> None:
    text = config(case).text
    assert [name for name, value in variables(case).items() if value in text] == []
