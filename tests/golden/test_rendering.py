"""Whole rendered files, compared with what lies beside each aiinfra.yaml."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from aiinfra import keys, providers
from aiinfra.rendering import Rendered, render
from aiinfra.settings import Settings
from aiinfra.stack import Stack, wanted_ports
from aiinfra.target import target_of
from tests.conftest import FIXED_IDENTITY, STRONG_KEYS

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in CASES.iterdir())


def rendered(case: str) -> Rendered:
    directory = CASES / case
    target = target_of(directory, None)
    variables = directory / "variables"
    values = {**STRONG_KEYS, **(keys.read(variables) if variables.exists() else {})}
    provider = providers.load(target.settings.provider_config, directory, values, target.settings.models)
    providers.check(provider, values, ".env")
    wanted = {name: port or 1 for name, port in wanted_ports(target.name, target.settings).items()}
    identity = replace(FIXED_IDENTITY, ports=wanted, address=target.settings.ports.address)
    return render(
        Stack(target.name, Path("/stack"), lambda: target.settings, identity),
        values,
        provider,
        images={"litellm": "aiinfra-litellm:golden", "mpc-api": "aiinfra-mpc-api:golden"},
        root=Path(f"/stack/.aiinfra/{target.name}"),
        user="65532:65532",
    )


@pytest.mark.parametrize("case", NAMES)
def test_a_stack_directory_renders_to_exactly_the_expected_files(case: str, request: pytest.FixtureRequest) -> None:
    expected = CASES / case / "expected"
    files = {file.path: file.text for file in rendered(case).files}
    if request.config.getoption("--update-golden"):
        shutil.rmtree(expected, ignore_errors=True)
        for name, text in files.items():
            (expected / name).parent.mkdir(parents=True, exist_ok=True)
            (expected / name).write_text(text, encoding="utf-8")
    found = {
        path.relative_to(expected).as_posix(): path.read_text(encoding="utf-8")
        for path in expected.rglob("*")
        if path.is_file()
    }
    assert files == found


@pytest.mark.parametrize("case", NAMES)
def test_no_secret_is_in_a_rendered_file_that_is_not_a_secret_file(case: str) -> None:
    directory = CASES / case
    variables = keys.read(directory / "variables") if (directory / "variables").exists() else {}
    secrets = {*STRONG_KEYS.values(), *(value for name, value in variables.items() if name.endswith("KEY"))}
    open_files = [file.text for file in rendered(case).files if not file.secret]
    assert [secret for secret in secrets for text in open_files if secret in text] == []


@pytest.mark.engine
@pytest.mark.parametrize("case", NAMES)
def test_compose_accepts_what_is_rendered_and_expands_nothing(case: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(rendered(case).compose, encoding="utf-8")
    command = ["docker", "compose", "--env-file", "/dev/null", "-f", str(file), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(json.loads(done.stdout)["services"]) == {"redis", "litellm", "mpc-api", "edge"}


@pytest.mark.parametrize("case", NAMES)
def test_the_stack_knows_which_networks_its_services_are_on(case: str) -> None:
    compose = yaml.safe_load(rendered(case).compose)
    stack = Stack(compose["name"], Path("/stack"), Settings(), FIXED_IDENTITY)
    named = {name: network["name"] for name, network in compose["networks"].items()}
    for service, found in compose["services"].items():
        assert {named[network] for network in found["networks"]} == set(stack.networks(service))
