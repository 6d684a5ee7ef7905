"""The verbs that look at a stack, go into its containers, or tell others how to reach it."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from aiinfra.engine import Engine, direct
from tests.conftest import REPOSITORY
from tests.contracts import COMMANDS, FILES
from tests.e2e.conftest import Cli, docker
from tests.keyboard import CTRL_C, Terminal, terminal

SCHEMA = json.loads((REPOSITORY / "docs" / "envelope.schema.json").read_text(encoding="utf-8"))


@contextlib.contextmanager
def typed(cli: Cli, *arguments: str, columns: int = 120, **environment: str) -> Iterator[Terminal]:
    """`aiinfra` in a terminal, in colour."""
    variables = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
    variables |= {"AIINFRA_STACK": cli.stack, **environment}
    command: list[str | Path] = [cli.command, *arguments]
    with terminal(command, directory=cli.directory, environment=variables, columns=columns) as one:
        yield one


def validate(line: str, definition: str = "") -> Any:  # noqa: ANN401 - JSON
    answer = json.loads(line)
    schema = {**SCHEMA["$defs"][definition], "$defs": SCHEMA["$defs"]} if definition else SCHEMA
    jsonschema.validate(answer, schema, cls=jsonschema.Draft202012Validator)
    return answer


# How they look

HEAVY = {"pydantic", "jinja2", "yaml", "rich", "httpx", "typer.rich_utils", "python_on_whales"}


@pytest.mark.parametrize("verb", ["ps", "health", "plan"])
def test_a_look_at_a_stack_whose_settings_were_applied_loads_nothing_heavy(healthy: Cli, verb: str) -> None:
    healthy.settings("timeout: 600\n")
    try:
        healthy.ok("up")
        done = healthy.run(verb, PYTHONPROFILEIMPORTTIME="1")
    finally:
        (healthy.directory / "aiinfra.yaml").unlink()
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0, done.stdout
    assert "typer" in loaded
    assert not HEAVY & loaded


def test_the_engine_s_socket_says_what_the_docker_commands_say(healthy: Cli) -> None:
    healthy.ok("up")
    raw = direct.containers(f"com.docker.compose.project={healthy.stack}", timeout=60)
    assert raw is not None, "this engine has a socket"
    directly, told = Engine(), Engine(told=True)
    end = time.monotonic() + 60
    # The engine's own checks go on between the two looks.
    while directly.containers(healthy.stack) != told.containers(healthy.stack):
        assert time.monotonic() < end
    names = [one["Config"]["Image"] for one in raw]
    assert directly.image_ids(names) == told.image_ids(names)
    assert directly.image_ids(["nothing:1"]) == told.image_ids(["nothing:1"]) == {"nothing:1": ""}


# exec and shell


def test_exec_passes_streams_and_exit_code_on_and_leaves_options_to_the_command(healthy: Cli) -> None:
    done = healthy.run("exec", "redis", "sh", "-c", 'echo "out $1"; echo err >&2; exit 7', "--", "--json")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out --json\n", "err\n")


def test_exec_in_json_says_what_the_command_wrote(healthy: Cli) -> None:
    done = healthy.run("--json", "exec", "redis", "sh", "-c", "echo out; exit 7")
    answer = validate(done.stdout)
    assert (done.returncode, answer["data"]["stdout"], answer["error"]["code"]) == (7, "out\n", "COMMAND_FAILED")
    assert answer["error"]["details"] == {"exit_code": 7}


def test_exec_reads_a_pipe(healthy: Cli) -> None:
    words = [str(healthy.command), "-s", healthy.stack, "exec", "redis", "cat"]
    done = subprocess.run(words, cwd=healthy.directory, input="ö\n", capture_output=True, text=True, check=True)
    assert done.stdout == "ö\n"


def test_a_shell_has_the_user_s_terminal_and_ends_with_its_own_exit_code(healthy: Cli) -> None:
    with typed(healthy, "shell", "mpc-api", columns=97) as one:
        one.press("echo $((20+3)) columns $(stty size < /dev/tty)\n")
        one.wait_for("23 columns 40 97")
        one.press("exit 9\n")
        assert one.wait() == 9


# env


def test_an_unmodified_client_gets_on_with_what_env_says(healthy: Cli) -> None:
    script = f"""
        eval "$({healthy.command} -s {healthy.stack} env --format shell)"
        exec python3 -c '
import os, urllib.request as r
ask = r.Request(os.environ["OPENAI_BASE_URL"] + "/models", headers={{"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}})
print(r.urlopen(ask).status, r.urlopen(os.environ["MPC_API_URL"] + "/health").status)'
    """  # noqa: E501 - Python in shell
    done = subprocess.run(["bash", "-c", script], cwd=healthy.directory, capture_output=True, text=True, check=True)
    assert done.stdout == "200 200\n"


def test_env_hides_keys_on_a_terminal_and_shows_them_where_asked(healthy: Cli) -> None:
    key = healthy.keys()["LITELLM_MASTER_KEY"]
    with typed(healthy, "env") as one:
        assert one.wait() == 0
        assert "OPENAI_API_KEY='(hidden)'" in one.screen()
        assert key.encode() not in one.written
    with typed(healthy, "env", "--show-secrets", "--rename", "OPENAI_API_KEY=MY_KEY") as one:
        assert one.wait() == 0
        assert f"MY_KEY={key}" in one.screen()


def test_env_into_a_file_is_for_its_owner_only(healthy: Cli, tmp_path: Path) -> None:
    path = tmp_path / "app.env"
    done = healthy.run("env", "--output", str(path))
    assert (done.returncode, path.stat().st_mode & 0o777) == (0, 0o600)
    assert healthy.keys()["MPC_API_KEY"] in path.read_text()
    assert healthy.keys()["MPC_API_KEY"] not in done.stdout + done.stderr


# ps, version


def test_ps_says_what_each_container_is_and_uses(healthy: Cli) -> None:
    rows = {row["service"]: row for row in healthy.ok("ps", "--stats")["containers"]}
    assert {row["replica"] for row in rows.values()} == {1}
    assert rows["redis"]["version"]
    assert rows["mpc-api"]["uptime_seconds"] >= 0
    assert all(row["stats"]["cpu"].endswith("%") for row in rows.values())
    assert all("MiB" in row["stats"]["memory"] for row in rows.values())
    ids = healthy.run("ps", "-q").stdout.split()
    assert ids == [row["id"] for row in rows.values()]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_ps_is_readable_on_a_terminal_of_any_width(healthy: Cli, columns: int) -> None:
    with typed(healthy, "ps", columns=columns) as one:
        assert one.wait() == 0
        lines = one.screen().splitlines()
    assert [line.split()[0] for line in lines] == ["SERVICE", "redis", "litellm", "mpc-api", "edge"]
    assert ("IMAGE" in lines[0]) is (columns == 120)


def test_version_names_engine_plugins_and_images(healthy: Cli) -> None:
    found = healthy.ok("version")
    assert found["engine"]
    assert found["compose"]
    assert [one["service"] for one in found["images"]] == ["redis", "litellm", "mpc-api", "edge"]


# health


@contextlib.contextmanager
def hanging(cli: Cli, service: str) -> Iterator[None]:
    """Let every process of a service stand still: it takes connections and never answers."""
    container = cli.ids()[service]
    pids = [int(line.split()[1]) for line in docker("top", container).splitlines()[1:]]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_health_says_what_each_side_sees(healthy: Cli) -> None:
    rows = {row["service"]: row for row in healthy.ok("health")["services"]}
    assert rows["mpc-api"]["dependencies"]["litellm"] == "healthy"
    assert all(row["replicas"][0]["milliseconds"] > 0 for row in rows.values())


def test_a_service_that_hangs_is_named_and_the_others_are_not_blamed(healthy: Cli) -> None:
    with hanging(healthy, "litellm"):
        done = healthy.run("health", "--timeout", "4", "--json")
    rows = {row["service"]: row["status"] for row in validate(done.stdout)["data"]["services"]}
    assert (done.returncode, rows["litellm"], rows["redis"], rows["edge"]) == (1, "unhealthy", "healthy", "healthy")
    healthy.ok("health", "--wait")


def test_health_can_wait_for_what_comes_back_and_gives_up_when_it_does_not(healthy: Cli) -> None:
    container = healthy.ids()["mpc-api"]
    docker("pause", container)
    try:
        error = healthy.fails("-s", healthy.stack, "health", "--wait", "--timeout", "2", exit_code=1)
        assert error["details"]["services"] == ["mpc-api"]
        assert f"`aiinfra -s {healthy.stack} logs mpc-api`" in error["hint"]
        waiting = healthy.start("health", "--wait", "--timeout", "300", "mpc-api")
    finally:
        docker("unpause", container)
    assert waiting.communicate(timeout=300)[0]
    assert waiting.returncode == 0


def test_a_watch_tells_each_look_as_a_line_and_ends_with_0_on_ctrl_c(healthy: Cli) -> None:
    process = healthy.start("health", "--watch", "--interval", "0.2", "--json")
    assert process.stdout is not None
    rounds = [validate(process.stdout.readline(), "Round") for _ in range(3)]
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert {one["status"] for one in rounds} <= {"healthy", "degraded", "unhealthy"}


def test_a_watch_in_a_terminal_stands_still_and_changes_in_place(healthy: Cli) -> None:
    with typed(healthy, "health", "--watch", "--interval", "0.2", "redis", columns=80) as one:
        one.wait_for("redis    healthy  healthy")
        docker("pause", healthy.ids()["redis"])
        try:
            shown = one.wait_for("paused")
        finally:
            docker("unpause", healthy.ids()["redis"])
        assert shown.count("SERVICE") == 1
        one.wait_for("redis    healthy  healthy")
        one.press(CTRL_C)
        assert one.wait() == 0
    healthy.ok("health", "--wait")


def test_a_deep_look_calls_the_models_of_the_mock_without_asking_because_they_are_free(healthy: Cli) -> None:
    models = healthy.ok("health", "--deep")["models"]
    assert {one["alias"]: one["status"] for one in models}["mpc-script"] == "healthy"


# logs


def test_logs_can_be_filtered_and_shown_as_they_were_written(healthy: Cli) -> None:
    httpx.get(healthy.url("mpc-api") + "/generate/of-a-kind")
    shown = healthy.run("logs", "mpc-api", "--grep", "of-a-kind", "-n", "1").stdout
    assert "INFO" in shown
    assert "request=" in shown
    raw = healthy.run("logs", "mpc-api", "--grep", "of-a-kind", "-n", "1", "--raw").stdout
    assert json.loads(raw)["event"]
    nothing = healthy.run("logs", "mpc-api", "--grep", "of-a-kind", "--level", "critical")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert healthy.run("logs", "--until", "2020-01-01").stdout == ""
    assert "of-a-kind" in healthy.run("logs", "--since", "1h").stdout


def test_logs_follow_a_service_to_the_container_that_replaces_it(healthy: Cli) -> None:
    before = healthy.ids()["mpc-api"]
    process = healthy.start("logs", "mpc-api", "--follow", "--tail", "0", "--json")
    assert process.stdout is not None
    done = threading.Event()
    try:
        healthy.ok("restart", "mpc-api")
        after = healthy.ids()["mpc-api"]
        assert after != before
        new = docker("inspect", "--format", "{{.Name}}", after).strip().lstrip("/")
        url = healthy.url("mpc-api") + "/generate/after-the-swap"
        asking = threading.Thread(target=lambda: [httpx.get(url) for _ in range(300) if not done.wait(0.2)])
        asking.start()
        for line in process.stdout:
            one = validate(line, "LogLine")
            if one["container"] == new and "after-the-swap" in one["text"]:
                break
        done.set()
        asking.join()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 0
    finally:
        done.set()
        process.kill()
        process.communicate()


# All of them. The last one, because it ends the stack.


# More than thirty commands, several of which replace containers: slow machines may take their time.
@pytest.mark.timeout(1800)
def test_every_command_that_succeeds_prints_what_the_schema_says_and_talks_on_stderr_only(healthy: Cli) -> None:
    for name, text in FILES.items():
        (healthy.directory / name).write_text(text, encoding="utf-8")
    for name, row in COMMANDS.items():
        done = healthy.run("--json", *row.succeeds)
        assert done.returncode == 0 or row.depends, (name, done.stdout, done.stderr)
        lines = done.stdout.splitlines()
        if row.streams:
            assert lines
            assert [validate(line, row.streams)["service"] for line in lines]
        else:
            assert len(lines) == 1, name
            assert validate(lines[0])["command"] == name
