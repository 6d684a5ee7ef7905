"""Provider configs: found, rendered, and what they need."""

import datetime as dt
from pathlib import Path

import pytest

from aiinfra import providers
from aiinfra.errors import AiinfraError, Code
from aiinfra.providers.secrecy import is_secret_name
from tests.conftest import STRONG_KEYS

MPC_ALIASES = {"default", "mpc-script", "mpc-thumbnail", "mpc-metadata"}
TODAY = dt.date(2026, 11, 28)
BUNDLED = ("mock", "openai-only", "anthropic-only", "multi-provider", "production-fallback")


def own(directory: Path, text: str, name: str = "mine.yaml") -> Path:
    (directory / "litellm").mkdir(exist_ok=True)
    (directory / "litellm" / name).write_text(text, encoding="utf-8")
    return directory


def refusal(directory: Path, name: str = "mine") -> AiinfraError:
    with pytest.raises(AiinfraError) as caught:
        providers.check(providers.load(name, directory, {}), {}, ".env")
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
    assert "OPENAI_API_KEY is empty; set OPENAI_API_KEY=... in .env" in caught.value.message
    assert "ANTHROPIC_API_KEY is not set; set ANTHROPIC_API_KEY=... in .env" in caught.value.message


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
    assert "mock, multi-provider, openai-only, production-fallback" in refusal(tmp_path, "nonsense").hint


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("model_list: [", "mine.yaml:1: "),
        ("{}", "it has no list of models"),
        ("model_list: {}", "it has no list of models"),
        ("model_list: [{model: x}]", "model_list[0]: it has no model_name"),
        ("model_list: [7]", "model_list[0]: it has no model_name"),
    ],
)
def test_a_broken_config_names_file_and_reason(tmp_path: Path, text: str, why: str) -> None:
    message = refusal(own(tmp_path, text)).message
    assert "litellm/mine.yaml:1: " in message
    assert why in message


def test_a_template_that_breaks_while_it_renders_is_refused(tmp_path: Path) -> None:
    own(tmp_path, "model_list: {{ 1 / 0 }}", "mine.yaml.j2")
    assert "division by zero" in refusal(tmp_path).message


def test_a_template_that_does_not_render_is_refused(tmp_path: Path) -> None:
    own(tmp_path, "model_list: {{ nothing_of_that_name }}", "mine.yaml.j2")
    assert "nothing_of_that_name" in refusal(tmp_path).message


def test_a_line_of_a_template_is_that_of_the_users_file(tmp_path: Path) -> None:
    loop = "model_list{{ i }}:\n  - {a: 1,\n     a: 2}\n"
    text = "{% set a = 1 %}\n{% for i in [1, 2] %}\n\n{# words #}\n" + loop + "{% endfor %}\n"
    own(tmp_path, text, "mine.yaml.j2")
    lines = {(one.file, one.line) for one in providers.load("mine", tmp_path, {}).faults}
    assert lines == {("litellm/mine.yaml.j2", 7)}


def test_a_template_that_does_not_render_names_its_line(tmp_path: Path) -> None:
    own(tmp_path, "model_list:\n\n  - {{ nothing }}\n", "mine.yaml.j2")
    assert "litellm/mine.yaml.j2:3: 'nothing' is undefined" in refusal(tmp_path).message
    own(tmp_path, "model_list:\n{% endfor %}\n", "mine.yaml.j2")
    assert "litellm/mine.yaml.j2:2: " in refusal(tmp_path).message


def test_a_config_that_extends_another_replaces_the_aliases_that_it_names(tmp_path: Path) -> None:
    own(tmp_path, "extends: mock\nmodel_list: [{model_name: default, litellm_params: {model: mock/other}}]")
    config = providers.load("mine", tmp_path, {})
    assert [one["litellm_params"]["model"] for one in config.data["model_list"] if one["model_name"] == "default"] == [
        "mock/other"
    ]
    assert set(config.aliases) == set(providers.load("mock", tmp_path, {}).aliases)


def test_a_config_may_extend_the_bundled_one_that_it_hides(tmp_path: Path) -> None:
    own(tmp_path, "extends: mock\nrouter_settings: {num_retries: 5, disable_cooldowns: null}", "mock.yaml")
    assert providers.load("mock", tmp_path, {}).data["router_settings"] == {"num_retries": 5}


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("a: 1\nextends: other", "extends: mine", "litellm/other.yaml:1: extends: 'mine' extends this file in turn"),
        ("a: 1\nextends: none", "{}", "litellm/mine.yaml:2: extends: there is no provider config 'none'"),
        ("extends: [mock]", "{}", "litellm/mine.yaml:1: extends: there is no provider config"),
        ("extends: mine", "{}", "litellm/mine.yaml:1: extends: there is no provider config 'mine'"),
    ],
)
def test_what_cannot_be_extended_is_named_with_its_line(tmp_path: Path, first: str, second: str, why: str) -> None:
    own(tmp_path, first)
    own(tmp_path, second, "other.yaml")
    assert why in refusal(tmp_path).message


@pytest.mark.parametrize("callbacks", ["", "callbacks: [prometheus]", "callbacks: prometheus"])
def test_every_request_is_logged_in_any_config_once_a_database_is_named(tmp_path: Path, callbacks: str) -> None:
    own(tmp_path, f"model_list: []\nlitellm_settings:\n  drop_params: true\n  {callbacks}\n")
    config = providers.load("mine", tmp_path, {"LITELLM_DATABASE_URL": "postgresql://x"})
    assert config.data["litellm_settings"]["callbacks"][-1] == "request_log.handler"
    assert "request_log" not in providers.load("mine", tmp_path, {}).text
    assert config.secrets({"LITELLM_DATABASE_URL": "postgresql://x"}) == {"LITELLM_DATABASE_URL": "postgresql://x"}


@pytest.mark.parametrize("name", BUNDLED)
def test_our_own_check_has_nothing_to_say_about_a_bundled_config(name: str, tmp_path: Path) -> None:
    values = {
        **STRONG_KEYS,
        "OPENAI_API_KEY": "sk-proj-0123456789abcdefghij",
        "ANTHROPIC_API_KEY": "sk-ant-0123456789abcdefghij",
        "AZURE_API_KEY": "0123456789abcdef0123456789abcdef",
        "AZURE_API_BASE": "https://my.openai.azure.com",
        "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x",
        "LITELLM_DATABASE_URL": "postgresql://user:password@db/log",
    }
    assert providers.faults(providers.load(name, tmp_path, values), values, ".env", today=TODAY) == ()


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("OPENAI_API_KEY", "sk-...", "is a placeholder"),
        ("OPENAI_API_KEY", "your-key-here-0123456789", "is a placeholder"),
        ("OPENAI_API_KEY", "pk-0123456789abcdefghij", "those begin with 'sk-'"),
        ("OPENAI_API_KEY", "sk-short1", "is too short"),
        ("OPENAI_API_KEY", "sk-proj-0123456789abcdefghij ", "has a space"),
        ("ANTHROPIC_API_KEY", "sk-proj-0123456789abcdefghij", "those begin with 'sk-ant-'"),
        ("OPENAI_API_BASE", "api.openai.com/v1", "is no http(s) address"),
        ("LITELLM_DATABASE_URL", "mysql://db/log", "is no address of a PostgreSQL"),
    ],
)
def test_a_variable_of_the_wrong_shape_is_refused_without_showing_it(
    tmp_path: Path, name: str, value: str, why: str
) -> None:
    good = {"OPENAI_API_KEY": "sk-proj-0123456789abcdefghij", "ANTHROPIC_API_KEY": "sk-ant-0123456789abcdefghij"}
    values = {**STRONG_KEYS, **good, name: value}
    found = [str(one) for one in providers.faults(providers.load("multi-provider", tmp_path, values), values, ".env")]
    assert len(found) == 1
    assert name in found[0]
    assert why in found[0]
    assert value.strip() not in found[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VERTEX_CREDENTIALS", '{\n  "type": "service_account"\n}\n'),
        ("SERVICE_KEY", "-----BEGIN PRIVATE KEY-----\nx\n"),
    ],
)
def test_credentials_may_have_many_lines(tmp_path: Path, name: str, value: str) -> None:
    (tmp_path / "litellm").mkdir()
    parameters = f"{{model: mock/x, vertex_credentials: os.environ/{name}}}"
    text = f"extends: mock\nmodel_list: [{{model_name: x, litellm_params: {parameters}}}]\n"
    (tmp_path / "litellm" / "own.yaml").write_text(text)
    values = {**STRONG_KEYS, name: value}
    found = providers.load("own", tmp_path, values)
    assert [one for one in providers.faults(found, values, ".env") if one.severity == "error"] == []
    assert found.secrets(values)[name] == value


def test_a_deployment_that_is_not_served_is_missed_although_its_alias_is(tmp_path: Path) -> None:
    (tmp_path / "litellm").mkdir()
    rows = ", ".join(f"{{model_name: {name}, litellm_params: {{model: mock/x}}}}" for name in ("a", "a", "b", "c/*"))
    (tmp_path / "litellm" / "own.yaml").write_text(f"model_list: [{rows}]\n")
    found = providers.load("own", tmp_path, STRONG_KEYS)
    assert found.dropped(["a", "b", "a", "c/1"]) == ()
    assert found.dropped(["a", "b"]) == ("a",)
    assert found.dropped([]) == ("a", "b")


def test_another_address_may_want_another_kind_of_key(tmp_path: Path) -> None:
    values = {**STRONG_KEYS, "OPENAI_API_KEY": "none-of-openai", "OPENAI_API_BASE": "http://upstream:8000/v1"}
    assert providers.faults(providers.load("openai-only", tmp_path, values), values, ".env") == ()


def test_a_model_that_will_be_shut_down_is_a_warning(tmp_path: Path) -> None:
    own(tmp_path, "model_list: [{model_name: m, litellm_params: {model: anthropic/claude-sonnet-4-5, api_key: none}}]")
    config = providers.load("mine", tmp_path, {})
    (found,) = providers.faults(config, {}, ".env", today=TODAY)
    assert providers.faults(config, {}, ".env", today=dt.date(2026, 1, 1)) == ()
    assert (found.severity, found.line) == ("warning", 1)
    assert "claude-sonnet-4-5" in found.problem
    assert "2026-11-30" in found.problem


def test_a_key_that_only_the_provider_knows_is_a_warning(tmp_path: Path) -> None:
    own(tmp_path, "model_list: [{model_name: m, litellm_params: {model: openai/m, api_key: none, chat_style: brief}}]")
    (found,) = providers.faults(providers.load("mine", tmp_path, {}), {}, ".env")
    assert (found.severity, found.path) == ("warning", "model_list[0].litellm_params.chat_style")


@pytest.mark.parametrize(
    ("parameters", "path", "says"),
    [
        ("model: openai/gpt-6-lunna", "model", "did you mean 'openai/gpt-6-luna'?"),
        ("model: openai/m, api_base: 'http://localhost:8000/v1'", "api_base", "that container itself"),
    ],
)
def test_what_may_be_meant_so_is_a_warning(tmp_path: Path, parameters: str, path: str, says: str) -> None:
    own(tmp_path, f"model_list: [{{model_name: m, litellm_params: {{{parameters}, api_key: none}}}}]")
    (found,) = providers.faults(providers.load("mine", tmp_path, {}), {}, ".env")
    assert (found.severity, found.path) == ("warning", f"model_list[0].litellm_params.{path}")
    assert says in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "litellm_params: {model: openai/gpt-6-lunna, api_base: 'http://up/v1', api_key: os.environ/ANTHROPIC_API_KEY}",
        "litellm_params: {model: openai/gpt-7-nova, api_key: none}",
        "litellm_params: {model: openai/m, api_base: os.environ/OPENAI_API_BASE, api_key: none}",
    ],
)
def test_an_address_of_ones_own_and_a_model_of_tomorrow_are_nobodys_fault(tmp_path: Path, text: str) -> None:
    own(tmp_path, f"model_list: [{{model_name: m, {text}}}]")
    values = {"ANTHROPIC_API_KEY": "sk-ant-0123456789abcdefghij", "OPENAI_API_BASE": "http://up:1/v1"}
    assert providers.faults(providers.load("mine", tmp_path, values), values, ".env") == ()


def test_a_credential_that_is_listed_may_be_named(tmp_path: Path) -> None:
    listed = "credential_list: [{credential_name: ours, credential_values: {api_key: os.environ/OURS}}]\n"
    own(
        tmp_path,
        listed + "model_list: [{model_name: m, litellm_params: {model: openai/m, litellm_credential_name: ours}}]",
    )
    values = {"OURS": "sk-proj-0123456789abcdefghij"}
    assert providers.faults(providers.load("mine", tmp_path, values), values, ".env") == ()


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("general_settings: {master_key: ''}", "an empty master key is none"),
        ("litellm_settings: {default_fallbacks: m}", "write [m]"),
        ("litellm_settings: {custom_provider_map: [{provder: mock}]}", "did you mean 'provider'?"),
        ("litellm_settings: {custom_provider_map: [mock]}", "write {provider, custom_handler}"),
        ("router_settings: {model_group_alias: {fast: {hidden: true}}}", "it names no model"),
    ],
)
def test_what_litellm_would_stumble_over_is_refused(tmp_path: Path, section: str, says: str) -> None:
    own(tmp_path, "model_list: [{model_name: m, litellm_params: {model: openai/m, api_key: none}}]\n" + section)
    (found,) = providers.faults(providers.load("mine", tmp_path, {}), {}, ".env")
    assert (found.severity, found.line) == ("error", 2)
    assert says in str(found)


@pytest.mark.parametrize("name", ["api_key", "api_keys", "redis_password", "aws_session_token", "Authorization"])
def test_a_name_of_a_secret_is_known_as_one(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "model_name", "max_input_tokens", "tpm"])
def test_a_number_of_tokens_is_no_secret(name: str) -> None:
    assert not is_secret_name(name)
