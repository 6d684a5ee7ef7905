"""Provider configs: found, rendered, and what they need."""

from pathlib import Path

import pytest

from aiinfra import providers
from aiinfra.errors import AiinfraError, Code

MPC_ALIASES = {"default", "mpc-script", "mpc-thumbnail", "mpc-metadata"}
BUNDLED = ("mock", "multi-provider")


def own(directory: Path, text: str, name: str = "mine.yaml") -> Path:
    (directory / "litellm").mkdir(exist_ok=True)
    (directory / "litellm" / name).write_text(text, encoding="utf-8")
    return directory


def refusal(directory: Path, name: str = "mine") -> AiinfraError:
    with pytest.raises(AiinfraError) as caught:
        providers.load(name, directory, {})
    assert (caught.value.code, caught.value.code.exit_code) == (Code.PROVIDER_CONFIG_INVALID, 3)
    return caught.value


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_config_serves_what_mpc_api_asks_for(name: str, tmp_path: Path) -> None:
    assert set(providers.load(name, tmp_path, {}).aliases) >= MPC_ALIASES


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_config_takes_the_master_key_from_the_environment(name: str, tmp_path: Path) -> None:
    assert "LITELLM_MASTER_KEY" in providers.load(name, tmp_path, {}).variables


def test_mock_needs_no_key_of_anybody(tmp_path: Path) -> None:
    assert providers.load("mock", tmp_path, {}).variables == ("LITELLM_MASTER_KEY",)


def test_multi_provider_says_which_keys_are_missing_and_where_they_go(tmp_path: Path) -> None:
    values = {"LITELLM_MASTER_KEY": "sk-x", "REDIS_PASSWORD": "x", "OPENAI_API_KEY": ""}
    config = providers.load("multi-provider", tmp_path, values)
    with pytest.raises(AiinfraError) as caught:
        providers.check(config, values, ".env")
    assert caught.value.code is Code.KEYS_INVALID
    assert set(caught.value.details["missing"]) == {"OPENAI_API_KEY", "ANTHROPIC_API_KEY"}
    assert "set them in .env" in caught.value.hint


def test_azure_joins_multi_provider_only_where_its_variables_are_set(tmp_path: Path) -> None:
    azure = {"AZURE_API_KEY": "k", "AZURE_API_BASE": "https://x.example", "AZURE_API_VERSION": "v"}
    assert "azure/" not in providers.load("multi-provider", tmp_path, {}).text
    assert "azure/" in providers.load("multi-provider", tmp_path, azure).text


def test_a_config_of_the_user_hides_a_bundled_one_of_the_same_name(tmp_path: Path) -> None:
    own(tmp_path, "model_list: [{model_name: only-mine}]", "mock.yaml")
    assert providers.load("mock", tmp_path, {}).aliases == ("only-mine",)


def test_a_template_of_the_user_sees_which_variables_are_set(tmp_path: Path) -> None:
    text = "model_list:\n{% if is_set('A') %}\n  - model_name: a\n{% else %}\n  - model_name: b\n{% endif %}\n"
    own(tmp_path, text, "mine.yaml.j2")
    assert providers.load("mine", tmp_path, {"A": "1"}).aliases == ("a",)
    assert providers.load("mine", tmp_path, {"A": ""}).aliases == ("b",)


def test_the_gateway_gets_the_variables_its_config_names_and_no_others(tmp_path: Path) -> None:
    own(tmp_path, "model_list: [{model_name: m, litellm_params: {api_key: os.environ/MINE}}]")
    config = providers.load("mine", tmp_path, {})
    values = {"MINE": "1", "OTHER": "2", "OPENAI_API_BASE": "http://up", "REDIS_HOST": "elsewhere"}
    assert config.secrets(values) == {"MINE": "1", "OPENAI_API_BASE": "http://up"}


def test_an_unknown_name_gets_the_list_of_known_ones(tmp_path: Path) -> None:
    assert "mock, multi-provider" in refusal(tmp_path, "nonsense").hint


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("model_list: [", "line 1: "),
        ("{}", "it has no model_list"),
        ("model_list: {}", "it has no model_list"),
        ("model_list: [{model: x}]", r"model_list[0] has no model_name"),
        ("model_list: [7]", r"model_list[0] has no model_name"),
    ],
)
def test_a_broken_config_names_file_and_reason(tmp_path: Path, text: str, why: str) -> None:
    message = refusal(own(tmp_path, text)).message
    assert message.startswith("mine.yaml: ")
    assert why in message


def test_a_template_that_breaks_while_it_renders_is_refused(tmp_path: Path) -> None:
    own(tmp_path, "model_list: {{ 1 / 0 }}", "mine.yaml.j2")
    assert "division by zero" in refusal(tmp_path).message


def test_a_template_that_does_not_render_is_refused(tmp_path: Path) -> None:
    own(tmp_path, "model_list: {{ nothing_of_that_name }}", "mine.yaml.j2")
    assert "nothing_of_that_name" in refusal(tmp_path).message
