"""Every value arrives as it was, whoever reads it: a .env parser, a shell, GitHub Actions, a JSON parser."""

import importlib.util
import io
import json
import secrets
import subprocess
from pathlib import Path

from dotenv import dotenv_values
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aiinfra import disk, keys
from aiinfra.bundle import SERVICES
from aiinfra.loading import load
from aiinfra.quoting import written
from aiinfra.target import target_of
from tests.conftest import STRONG_KEYS

# What an environment can hold: no NUL, and no surrogate, which is no text.
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
# A slow machine is no defect.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# The first program of the gateway's container; the API reads its files as bytes.
_SPECIFICATION = importlib.util.spec_from_file_location("entrypoint", SERVICES / "litellm" / "entrypoint.py")
assert _SPECIFICATION
assert _SPECIFICATION.loader
_ENTRYPOINT = importlib.util.module_from_spec(_SPECIFICATION)
_SPECIFICATION.loader.exec_module(_ENTRYPOINT)
read_secrets = _ENTRYPOINT.read_secrets

# As every reference stands in a config; the mock provider itself asks for no key.
_PARAMETERS = "{model: mock/x, api_key: os.environ/OWN, api_base: os.environ/REDIS_PASSWORD}"
CONFIG = f"extends: mock\nmodel_list: [{{model_name: x, litellm_params: {_PARAMETERS}}}]\n"
ODD = "it's \"x\" $HOME ${HOME} `id` \\n\\ #c\nA=1\n'\\"


@settings(patient)
@given(st.dictionaries(st.sampled_from(["A", "B_2", "_c"]), VALUES))
@example({"A": ODD, "B_2": "", "_c": "\\"})
@example({"A": 'a\r\nb\\r"', "B_2": "\r"})
def test_a_dotenv_file_says_what_was_put_in_for_us_and_for_python_dotenv(variables: dict[str, str]) -> None:
    text = written(variables, "dotenv")
    assert keys.parse(text, ".env") == variables
    assert dotenv_values(stream=io.StringIO(text), interpolate=False) == variables


@settings(patient, max_examples=30, suppress_health_check=[*HealthCheck])
@given(VALUES, VALUES, st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
@example(ODD, "\n \U0001f512\r\n", "$HOME#'\"`\\")
def test_a_secret_of_the_env_is_what_the_gateway_and_the_api_find_in_their_mounts(
    tmp_path: Path, own: str, password: str, key: str
) -> None:
    (tmp_path / "litellm").mkdir(exist_ok=True)
    (tmp_path / "litellm" / "own.yaml").write_text(CONFIG)
    strong = {name: f"{value}-{secrets.token_hex(4)}" for name, value in STRONG_KEYS.items()}
    wanted = {
        "OWN": f"x{own}",
        "LITELLM_MASTER_KEY": strong["LITELLM_MASTER_KEY"] + key,
        "MPC_API_KEY": strong["MPC_API_KEY"] + key,
        "REDIS_PASSWORD": strong["REDIS_PASSWORD"] + password,
    }
    (tmp_path / ".env").write_bytes(written(wanted, "dotenv").encode())
    one = load(target_of(tmp_path, None), {}, provider_config="own")
    root = tmp_path / ".aiinfra" / secrets.token_hex(4)
    root.mkdir(parents=True)
    disk.write_files(root, one.rendered.files)
    (gateway,), (api,) = root.glob("litellm-secrets-*"), root.glob("mpc-api-secrets-*")
    assert read_secrets(gateway) == {name: value for name, value in wanted.items() if name != "MPC_API_KEY"}
    assert {path.name: path.read_bytes().decode() for path in api.iterdir()} == {
        name: value for name, value in wanted.items() if name != "OWN"
    }


@given(VALUES)
@settings(patient, max_examples=40)
@example(ODD)
def test_a_shell_that_reads_it_exports_the_value(value: str) -> None:
    script = written({"VALUE": value}, "shell") + "exec printenv -0 VALUE"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert done.stdout == value.encode() + b"\0"


@settings(patient)
@given(st.dictionaries(st.sampled_from(["A", "B"]), VALUES))
@example({"A": ODD, "B": "a<<b"})
@example({"A": "x\nend_0\nB=1", "B": "\n"})
def test_github_reads_it_back(variables: dict[str, str]) -> None:
    assert as_github_reads(written(variables, "github")) == variables


@settings(patient)
@given(st.dictionaries(st.sampled_from(["A", "B"]), VALUES))
def test_json_is_one_object_of_strings(variables: dict[str, str]) -> None:
    assert json.loads(written(variables, "json")) == variables


def as_github_reads(text: str) -> dict[str, str]:
    """The rules of the runner's own reader (actions/runner, FileCommandManager.cs)."""
    lines, found = text.split("\n"), {}
    assert lines.pop() == ""
    while lines:
        line = lines.pop(0)
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            found[line[:equals]] = line[equals + 1 :]
            continue
        assert heredoc > 0, line
        name, delimiter = line[:heredoc], line[heredoc + 2 :]
        value = []
        while (line := lines.pop(0)) != delimiter:
            value.append(line)
        found[name] = "\n".join(value)
    return found
