"""`doctor` where no engine answers, and what its archive may never show."""

import io
import json
import os
import socket
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiinfra.commands.doctor.redaction import HIDDEN, literals, redacted, spellings, values_of
from tests.conftest import write_keys
from tests.unit.test_certificates import ending
from tests.unit.test_cli import aiinfra, envelope

NOWHERE = "unix:///nowhere/docker.sock"


def findings(directory: Path, *arguments: str, **environment: str) -> dict[str, list[dict[str, Any]]]:
    done = aiinfra(directory, "doctor", "--json", *arguments, **{"DOCKER_HOST": NOWHERE, **environment})
    answer = envelope(done)
    found: dict[str, list[dict[str, Any]]] = {}
    for one in answer["data"]["findings"]:
        found.setdefault(one["check"], []).append(one)
    bad = any(one["level"] == "error" for one in answer["data"]["findings"])
    assert (done.returncode, answer["data"]["sound"]) == (1 if bad else 0, not bad)
    assert all(
        one["fix"] for one in answer["data"]["findings"] if one["level"] != "ok" and one["check"] != "registries"
    )
    return found


@pytest.mark.parametrize(
    ("environment", "text"),
    [({"DOCKER_HOST": NOWHERE}, "no Docker engine answers"), ({"PATH": "/nonexistent"}, "no `docker` command")],
)
def test_without_an_engine_that_is_one_error_and_the_rest_is_looked_at_all_the_same(
    tmp_path: Path, environment: dict[str, str], text: str
) -> None:
    write_keys(tmp_path)
    found = findings(tmp_path, **environment)
    assert [one["level"] for one in found["engine"]] == ["error"]
    assert text in found["engine"][0]["text"]
    assert {name for name, rows in found.items() for one in rows if one["level"] == "error"} == {"engine"}
    assert found["keys"][-1]["text"] == "the keys in .env are strong"
    assert found["provider config"][0]["level"] == "ok"


def test_settings_that_are_wrong_are_told_with_their_key(tmp_path: Path) -> None:
    (tmp_path / "aiinfra.yaml").write_text("prots: {}\n")
    row = findings(tmp_path)["settings"][0]
    assert (row["level"], "prots: unknown key; did you mean 'ports'?" in row["text"]) == ("error", True)


@pytest.mark.parametrize(
    ("line", "text"),
    [("what is this", ".env:4"), ("LITELLM_MASTER_KEY=sk-1234", "a second time")],
)
def test_an_env_that_cannot_be_read_is_told_with_its_line(tmp_path: Path, line: str, text: str) -> None:
    write_keys(tmp_path)
    with (tmp_path / ".env").open("a") as file:
        file.write(line + "\n")
    rows = [one for one in findings(tmp_path)["keys"] if one["level"] == "error"]
    assert text in rows[0]["text"]


def test_weak_keys_open_permissions_and_missing_provider_keys_are_told(tmp_path: Path) -> None:
    write_keys(tmp_path, MPC_API_KEY="password")
    (tmp_path / ".env").chmod(0o644)
    (tmp_path / "aiinfra.yaml").write_text("provider_config: openai-only\n")
    found = findings(tmp_path)
    assert "`chmod 600" in found["keys"][0]["fix"]
    assert "MPC_API_KEY is a placeholder" in found["keys"][1]["text"]
    write_keys(tmp_path)
    assert "OPENAI_API_KEY" in findings(tmp_path)["provider config"][0]["text"]


def test_a_taken_port_is_told_with_its_owner(tmp_path: Path) -> None:
    write_keys(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "aiinfra.yaml").write_text(f"stack: other\nports: {{litellm: {port}}}\n")
        row = next(one for one in findings(tmp_path)["ports"] if "litellm" in one["text"])
    assert row["level"] == "error"
    assert f"(pid {os.getpid()})" in row["text"]


SENTINELS = {
    "OPENAI_API_KEY": "sk-proj-SENTINELopenai0123456789",
    "ANTHROPIC_API_KEY": "sk-ant-SENTINEL/anthropic+0123==",
    "QUOTED": "'SENTINEL with spaces # and $ign'",
    "EMOJI": '"SENTINEL🔑emoji\\"quote"',
    "UNKNOWN_THING": "SENTINELunknown",
    "BASE_URL": "https://user:SENTINELpass@proxy.example/v1?api_key=SENTINELquery",
}


def texts(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        members = [(one.name, archive.extractfile(one)) for one in archive.getmembers()]
        return {name: io.TextIOWrapper(file, "utf-8").read() for name, file in members if file}


@pytest.mark.parametrize("damage", ["", "this line is no assignment SENTINELbroken\n"])
def test_the_archive_shows_no_secret_of_env_provider_config_rendered_files_or_settings(
    tmp_path: Path, damage: str
) -> None:
    write_keys(tmp_path, **SENTINELS)
    with (tmp_path / ".env").open("a") as file:
        file.write(damage)
    (tmp_path / "litellm").mkdir()
    (tmp_path / "litellm" / "own.yaml").write_text(
        "model_list:\n- model_name: default\n  litellm_params:\n    model: openai/x\n    api_key: SENTINELliteral\n"
        "    api_base: https://u:SENTINELbase@host/v1\n    extra_headers: {Authorization: Bearer SENTINELbearer}\n"
        "    vertex_credentials: |\n      -----BEGIN PRIVATE KEY-----\n      SENTINELpem\n"
        "      -----END PRIVATE KEY-----\n"
    )
    (tmp_path / "aiinfra.yaml").write_text("build: {package_index: 'https://user:SENTINELindex@host/simple'}\n")
    rendered = tmp_path / ".aiinfra" / "ai-infra" / "litellm-secrets-0123"
    rendered.mkdir(parents=True)
    (rendered / "OTHER").write_text("SENTINELrendered")
    (rendered.parent / "compose.yaml").write_text("environment: {OTHER: SENTINELrendered, TOKEN: SENTINELcompose}\n")
    findings(tmp_path, "--bundle", "support.tar.gz")
    path = tmp_path / "support.tar.gz"
    assert path.stat().st_mode & 0o777 == 0o600
    found = texts(path)
    assert {"aiinfra-doctor/findings.json", "aiinfra-doctor/settings/own.yaml"} - set(found) == {
        "aiinfra-doctor/settings/own.yaml"
    }
    assert "aiinfra-doctor/settings/litellm/own.yaml" in found
    leaks = {name: text for name, text in found.items() if "SENTINEL" in text or "SENTINEL" in name}
    assert leaks == {}
    assert json.loads(found["aiinfra-doctor/findings.json"])["findings"]


def test_the_archive_has_the_certificate_and_never_its_private_key(tmp_path: Path) -> None:
    write_keys(tmp_path)
    cert, key = ending(datetime.now(UTC) + timedelta(days=100), tmp_path)
    (tmp_path / "aiinfra.yaml").write_text("tls: {cert: cert.pem, key: key.pem}\n", encoding="utf-8")
    edge = tmp_path / ".aiinfra" / "ai-infra" / "edge"
    edge.mkdir(parents=True)
    (edge / "tls.pem").write_text(cert.read_text() + key.read_text())
    (edge / "haproxy.cfg.copy").write_text(key.read_text())
    findings(tmp_path, "--bundle", "support.tar.gz")
    body = key.read_text().splitlines()[1]
    assert [name for name, text in texts(tmp_path / "support.tar.gz").items() if body in text] == []


@given(st.text(min_size=6, max_size=40), st.sampled_from(['"{}"', "x={}\n", "{}", "https://h/?q={}"]))
def test_a_known_secret_is_gone_however_it_is_written(secret: str, template: str) -> None:
    lines = [line for line in secret.splitlines() if len(line.strip()) >= 6]
    for text in (template.format(secret), json.dumps({"value": secret}), json.dumps(secret, ensure_ascii=False)):
        shown = redacted(text, spellings([secret]))
        assert not any(line in shown.replace(HIDDEN, "") for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcSENTINEL",
        '{"api_key": "SENTINEL"}',
        '{\\"api_key\\": \\"SENTINEL\\"}',
        "OPENAI_API_KEY=SENTINEL",
        "my-secret-token: SENTINEL",
        "redis://default:SENTINEL@redis:6379",
        "used key sk-SENTINEL1234567",
        "https://hooks.slack.com/services/T0/B0/SENTINEL",
        "GET /x?api_key=SENTINEL&a=b",
        "eyJhbGciSENTINEL.eyJzdWIiSENTINEL.sigSENTINEL",
    ],
)
def test_what_looks_like_a_secret_is_hidden_without_being_known(text: str) -> None:
    assert "SENTINEL" not in redacted(text, ())


@pytest.mark.parametrize(
    "text",
    ["api_key: os.environ/OPENAI_API_KEY", "max_tokens: 300", "tokens used: 12", "http://edge:4000/v1/models"],
)
def test_what_helps_and_is_no_secret_stays(text: str) -> None:
    assert redacted(text, ()) == text


def test_values_and_literals_are_found_where_a_parser_gives_up() -> None:
    assert "SECRET" in values_of("garbage\nexport X='SECRET' \n")
    assert literals({"a": [{"api_key": "LITERAL"}, {"api_key": "os.environ/X"}], "model": "m"}) == ["LITERAL"]


@pytest.mark.parametrize(("days", "level"), [(200, "ok"), (5, "warning"), (-2, "error")])
def test_a_certificate_about_to_end_is_a_warning_and_an_ended_one_an_error(
    tmp_path: Path, days: int, level: str
) -> None:
    write_keys(tmp_path)
    ending(datetime.now(UTC) + timedelta(days=days, hours=1), tmp_path)
    (tmp_path / "aiinfra.yaml").write_text("tls: {cert: cert.pem, key: key.pem}\n", encoding="utf-8")
    assert [one["level"] for one in findings(tmp_path)["certificate"]] == [level]
