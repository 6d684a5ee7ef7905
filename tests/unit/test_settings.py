"""aiinfra.yaml: what is accepted, and how a fault is named."""

import re
from pathlib import Path

import pytest
import yaml

from aiinfra import settings
from aiinfra.bundle import TEMPLATES
from aiinfra.errors import AiinfraError, Code
from aiinfra.settings import Settings

SETTINGS_TEMPLATE = TEMPLATES / "settings" / "aiinfra.yaml"


def faults(text: str) -> list[str]:
    with pytest.raises(AiinfraError) as caught:
        settings.parse(text)
    assert caught.value.code is Code.SETTINGS_INVALID
    assert caught.value.code.exit_code == 3
    found: list[str] = caught.value.details["faults"]
    return found


def test_a_directory_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    found = settings.load(tmp_path)
    assert (found.stack, found.provider_config, found.ports.address) == ("ai-infra", "mock", "127.0.0.1")


def test_an_empty_file_means_the_defaults() -> None:
    assert settings.parse("") == settings.parse("# nothing\n") == Settings()


def uncommented(text: str) -> str:
    return "\n".join(line[1:] for line in text.splitlines() if re.match(r"#(\w|  )", line))


def test_the_file_that_init_writes_shows_the_real_defaults() -> None:
    text = SETTINGS_TEMPLATE.read_text(encoding="utf-8").split("# Building behind")[0]
    ports = {"litellm": 4000, "mpc-api": 3000}
    assert settings.parse(uncommented(text)) == Settings.model_validate({"ports": ports})


def test_every_key_that_init_shows_is_a_known_one() -> None:
    found = settings.parse(uncommented(SETTINGS_TEMPLATE.read_text(encoding="utf-8")))
    assert found.build.base_images == {"python:3.13-slim-trixie": "registry.example/python:3.13"}


def test_a_section_with_everything_commented_out_means_its_defaults() -> None:
    assert settings.parse("ports:\nservices:\n  redis:\n") == Settings()


def test_a_section_that_is_no_mapping_is_refused() -> None:
    assert faults("ports: 4000") == ["aiinfra.yaml:1: ports: 4000 is refused: must be a mapping"]


def test_an_unknown_key_is_named_with_its_path_and_the_key_that_was_meant() -> None:
    assert faults("ports: {litelm: 4000}") == ["aiinfra.yaml:1: ports.litelm: unknown key; did you mean 'litellm'?"]


def test_a_key_like_no_other_gets_the_list_of_known_ones() -> None:
    assert faults("zzz: 1")[0].endswith(
        "known here: stack, provider_config, timeout, models, ports, services, build, tls"
    )


def test_a_misspelt_service_is_found_two_levels_down() -> None:
    assert faults("services: {mpc-api: {memmory: 1g}}") == [
        "aiinfra.yaml:1: services.mpc-api.memmory: unknown key; did you mean 'memory'?"
    ]


def test_a_fault_has_the_line_of_its_key_or_of_what_it_is_missing_in() -> None:
    text = "timeout: 60\n\nservices:\n  redis: {memory: 1g}\n  mpc-api:\n    keys:\n    - name: ed\n    - nme: ed\n"
    lines = [fault.split(": ", 2)[:2] for fault in faults(text)]
    assert lines == [
        ["aiinfra.yaml:7", "services.mpc-api.keys.0.variable"],
        ["aiinfra.yaml:8", "services.mpc-api.keys.1.name"],
        ["aiinfra.yaml:8", "services.mpc-api.keys.1.variable"],
        ["aiinfra.yaml:8", "services.mpc-api.keys.1.nme"],
    ]


def test_faults_are_told_from_top_to_bottom() -> None:
    lines = [fault.split(": ")[0] for fault in faults("tiemout: 3\nports: {litellm: x}\ntimeout: x\n")]
    assert lines == ["aiinfra.yaml:1", "aiinfra.yaml:2", "aiinfra.yaml:3"]


def test_a_wrong_type_is_refused_and_not_converted() -> None:
    assert faults("ports: {litellm: '4000'}") == [
        "aiinfra.yaml:1: ports.litellm: '4000' is refused: input should be a valid integer"
    ]


def test_a_port_out_of_range_names_the_rule() -> None:
    assert "less than or equal to 65535" in faults("ports: {mpc-api: 70000}")[0]


@pytest.mark.parametrize("memory", ["768", "1t", "0m", "-1g", "1.5g"])
def test_memory_wants_a_number_and_a_unit(memory: str) -> None:
    assert "use a number and m or g" in faults(f"services: {{redis: {{memory: '{memory}'}}}}")[0]


@pytest.mark.parametrize(
    ("service", "memory"), [("litellm", "511m"), ("redis", "31m"), ("mpc-api", "1m"), ("edge", "1m")]
)
def test_memory_below_what_a_service_needs_is_refused(service: str, memory: str) -> None:
    assert "the service needs at least" in faults(f"services: {{{service}: {{memory: {memory}}}}}")[0]


def test_one_port_for_both_services_is_refused() -> None:
    assert faults("ports: {litellm: 5000, mpc-api: 5000}") == [
        "aiinfra.yaml:1: ports: litellm and mpc-api cannot both have 5000"
    ]


@pytest.mark.parametrize("text", ["timeout: 2024-13-45", "[" * 3000])
def test_yaml_that_breaks_its_parser_is_refused_like_any_other(text: str) -> None:
    assert faults(text)[0].startswith("aiinfra.yaml")


@pytest.mark.parametrize("name", ["", "-x", "NOT AN IMAGE"])
def test_a_base_image_must_have_the_form_of_one(name: str) -> None:
    assert "build.base_images.redis:8.0" in faults(f"build: {{base_images: {{'redis:8.0': '{name}'}}}}")[0]


def test_the_python_spelling_of_a_key_is_not_a_key() -> None:
    assert faults("services: {mpc_api: {memory: 1g}}")[0].endswith("did you mean 'mpc-api'?")


def test_all_faults_are_told_at_once() -> None:
    assert len(faults("{timeout: 0, stack: 'No Spaces', ports: {address: here}}")) == 3


def test_a_syntax_error_has_its_line() -> None:
    assert faults("stack: a\nports: [1\n")[0].startswith("aiinfra.yaml:3:")


def test_a_key_that_stands_twice_is_refused_with_its_line() -> None:
    assert faults("timeout: 1\ntimeout: 2\n") == ["aiinfra.yaml:2: the key 'timeout' stands twice"]


@pytest.mark.parametrize("text", ["[1]", "just words", "7"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    assert faults(text) == ["aiinfra.yaml: the file must be a mapping of settings"]


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "aiinfra.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AiinfraError, match=r"aiinfra\.yaml cannot be read"):
        settings.load(tmp_path)


def test_the_settings_template_is_yaml() -> None:
    assert yaml.safe_load(SETTINGS_TEMPLATE.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize(
    "address",
    ["http://proxy:3128", "https://u:p%40w@index.example/simple/", "http://u:p@w@10.0.0.1:80", "http://[fd00::1]:3128"],
)
def test_an_address_of_a_build_is_taken_as_it_stands(address: str) -> None:
    assert settings.parse(f"build: {{proxies: {{https: '{address}'}}}}").build.proxies.https == address


@pytest.mark.parametrize(
    "address",
    [
        "u:passw0rd@proxy:3128",
        "socks5://u:passw0rd@proxy:1080",
        "http://u:passw0rd@proxy:port",
        "http://u:passw0rd/1@proxy:3128",
        "http://u:passw0rd#1@proxy:3128",
        "http://u:1/passw0rd@proxy:3128",
        "http://u:passw0rd@pro xy:3128",
    ],
)
def test_an_address_that_pip_cannot_read_is_refused_without_its_password(address: str) -> None:
    for section in (
        f"package_index: '{address}'",
        f"proxies: {{http: '{address}'}}",
        f"proxies: {{https: '{address}'}}",
    ):
        (fault,) = faults(f"build: {{{section}}}")
        assert re.match(r"aiinfra\.yaml:1: build\.(package_index|proxies\.https?): use http", fault)
        assert "passw0rd" not in fault


def callers(*keys: str) -> str:
    return f"services: {{mpc-api: {{keys: [{', '.join(keys)}]}}}}"


def test_a_caller_has_every_scope_and_the_limits_of_the_service_unless_it_says_otherwise() -> None:
    (one,) = settings.parse(callers("{name: editor, variable: EDITOR_KEY}")).services.mpc_api.keys
    assert (one.scopes, one.requests_per_minute) == (["script", "thumbnail-prompt", "metadata"], None)


@pytest.mark.parametrize(
    ("caller", "fault"),
    [
        ("{name: editor}", "services.mpc-api.keys.0.variable: field required"),
        ("{name: Ed, variable: A_KEY}", "services.mpc-api.keys.0.name: 'Ed' is refused"),
        ("{name: ed, variable: a key}", "services.mpc-api.keys.0.variable: 'a key' is refused"),
        ("{name: ed, variable: A_KEY, scopes: [all]}", "services.mpc-api.keys.0.scopes.0: 'all' is refused"),
        ("{name: ed, variable: A_KEY, tokens_per_minute: 0}", "greater than or equal to 1"),
        ("{name: ed, variable: A_KEY, scope: []}", "keys.0.scope: unknown key; did you mean 'scopes'?"),
        ("{name: ed, variable: REDIS_PASSWORD}", "the variable 'REDIS_PASSWORD' is taken already"),
        ("{name: main, variable: A_KEY}", "the name 'main' is taken already"),
    ],
)
def test_a_caller_that_cannot_be_is_refused(caller: str, fault: str) -> None:
    assert fault in faults(callers(caller))[0]


def test_two_callers_have_two_names_and_two_keys() -> None:
    assert "the name 'a' is taken" in faults(callers("{name: a, variable: A}", "{name: a, variable: B}"))[0]
    assert "the variable 'A' is taken" in faults(callers("{name: a, variable: A}", "{name: b, variable: A}"))[0]
