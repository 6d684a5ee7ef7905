"""Every value arrives as it was, whoever reads it: a .env parser, a shell, GitHub Actions, a JSON parser."""

import io
import json
import subprocess

from dotenv import dotenv_values
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aiinfra import keys
from aiinfra.quoting import written

# What an environment can hold: no NUL, and no surrogate, which is no text.
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
# A slow machine is no defect.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ODD = "it's \"x\" $HOME ${HOME} `id` \\n\\ #c\nA=1\n'\\"


@settings(patient)
@given(st.dictionaries(st.sampled_from(["A", "B_2", "_c"]), VALUES))
@example({"A": ODD, "B_2": "", "_c": "\\"})
@example({"A": 'a\r\nb\\r"', "B_2": "\r"})
def test_a_dotenv_file_says_what_was_put_in_for_us_and_for_python_dotenv(variables: dict[str, str]) -> None:
    text = written(variables, "dotenv")
    assert keys.parse(text, ".env") == variables
    assert dotenv_values(stream=io.StringIO(text), interpolate=False) == variables


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
