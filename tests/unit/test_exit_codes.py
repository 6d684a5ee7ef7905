"""Every error code is provoked through a real process: here those that need no engine, the others as the table says."""

import http.server
import json
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from aiinfra.errors import Code
from aiinfra.workspace import Workspace
from tests.conftest import OWN_ENVIRONMENT, REPOSITORY, write_keys
from tests.unit.test_cli import aiinfra, envelope

NOWHERE = "unix:///nowhere/docker.sock"

# Who provokes it: one test of each, though several may.
PROVOKED: Mapping[str, str] = {
    "NOT_READY": "test_a_deadline_that_passes_says_which_service_and_what_its_check_said",
    "UNHEALTHY": "test_the_edge_answers_in_the_api_format_when_no_api_is_behind_it",
    "NOT_RUNNING": "test_generate_without_a_stack_says_how_to_start_it",
    "PORT_TAKEN": "test_a_taken_port_is_refused_by_name_before_anything_starts",
    "STACK_ELSEWHERE": "test_a_stack_of_another_directory_is_never_hijacked",
    "BUILD_FAILED": "test_a_build_that_fails_shows_its_step_and_leaves_what_runs_untouched",
    "BASE_IMAGE_MISSING": "test_a_base_image_that_cannot_be_had_is_named_with_the_two_ways_out",
    "IMAGE_MISSING": "test_up_without_builds_names_the_image_that_is_missing",
    "ROLLBACK_REFUSED": "test_keys_are_never_rolled_back",
    "DISK_FULL": "test_a_full_disk_of_the_stack_directory_is_told_and_what_runs_goes_on",
    "FILE_UNWRITABLE": "test_a_stack_directory_that_cannot_be_written_is_exit_code_1",
    "EDGE_REFUSED": "test_an_edge_that_does_not_know_its_configuration_is_told_before_anything_runs",
    "UNSOUND": "test_what_doctor_finds_is_exit_code_1",
    "BACKUP_FAILED": "test_a_redis_that_does_not_let_us_in_gives_no_backup",
    "BACKUP_INVALID": "test_what_is_no_backup_is_refused_before_anything_is_touched",
    "RESTORE_FAILED": "test_a_redis_that_does_not_come_up_gets_its_old_data_back_by_itself",
    "EXCHANGE_OPEN": "test_old_and_new_keys_are_accepted_until_the_old_ones_are_retired",
    "REQUEST_FAILED": "test_chat_streams_an_answer_and_counts_its_tokens",
    "COMMAND_FAILED": "test_exec_in_json_says_what_the_command_wrote",
    "PROOF_FAILED": "test_what_costs_is_asked_for_and_a_failed_proof_brings_back_what_served",
    "DECLINED": "test_reset_declined_on_a_terminal_touches_nothing",
    "USAGE": "test_wrong_usage_is_exit_code_2_and_says_where_help_is",
    "SETTINGS_INVALID": "test_bad_settings_are_exit_code_3_for_every_verb_before_docker_is_asked",
    "KEYS_INVALID": "test_a_file_of_the_user_that_is_wrong_is_exit_code_3_before_docker_is_asked",
    "PROVIDER_CONFIG_INVALID": "test_a_failure_is_one_valid_object_on_stdout_and_nothing_else",
    "CERTIFICATE_INVALID": "test_a_file_of_the_user_that_is_wrong_is_exit_code_3_before_docker_is_asked",
    "STATE_INVALID": "test_a_damaged_file_of_ours_is_exit_code_3",
    "DOCKER_MISSING": "test_a_machine_without_docker_is_exit_code_4_with_the_place_to_get_it",
    "DOCKER_STOPPED": "test_a_stopped_engine_is_told_by_every_verb",
    "DOCKER_DENIED": "test_a_user_who_may_not_use_the_engine_reads_how_to_be_allowed",
    "DOCKER_TOO_OLD": "test_a_missing_compose_plugin_is_named_with_the_package_to_install",
    "DOCKER_REFUSED": "test_an_engine_that_refuses_is_exit_code_4_with_its_own_words",
    "CONFIRMATION_NEEDED": "test_an_empty_directory_becomes_a_healthy_stack_that_generates_and_then_nothing",
    "STACK_LOCKED": "test_a_stack_that_another_command_holds_is_exit_code_6",
    "INTERNAL": "test_a_docker_that_is_no_docker_is_nothing_we_know_and_shows_no_traceback",
    "INTERRUPTED": "test_each_signal_that_ends_a_command_has_its_own_exit_code",
}


def test_every_code_is_provoked_by_a_test_that_is_there() -> None:
    assert set(PROVOKED) == {code.name for code in Code}
    tests = "".join(path.read_text(encoding="utf-8") for path in REPOSITORY.glob("tests/*/test_*.py"))
    assert [name for name in PROVOKED.values() if f"def {name}(" not in tests] == []


def test_a_stack_directory_that_cannot_be_written_is_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / ".aiinfra").touch()
    assert envelope(aiinfra(tmp_path, "up", "--json"))["error"]["code"] == "FILE_UNWRITABLE"


def test_what_doctor_finds_is_exit_code_1(tmp_path: Path) -> None:
    error = envelope(aiinfra(tmp_path, "doctor", "--json", DOCKER_HOST=NOWHERE))["error"]
    assert (error["code"], "engine" in error["details"]["checks"]) == ("UNSOUND", True)


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [(".env", "what is this\n", "KEYS_INVALID"), ("aiinfra.yaml", "tls: {cert: a, key: b}\n", "CERTIFICATE_INVALID")],
)
def test_a_file_of_the_user_that_is_wrong_is_exit_code_3_before_docker_is_asked(
    tmp_path: Path, file: str, text: str, code: str
) -> None:
    write_keys(tmp_path)
    (tmp_path / file).write_text(text)
    assert envelope(aiinfra(tmp_path, "up", "--json", DOCKER_HOST=NOWHERE))["error"]["code"] == code


def test_a_damaged_file_of_ours_is_exit_code_3(tmp_path: Path) -> None:
    space = Workspace(tmp_path, "ai-infra")
    space.prepare()
    space.state_file.write_text("{")
    assert envelope(aiinfra(tmp_path, "health", "--json"))["error"]["code"] == "STATE_INVALID"


def test_a_stack_that_another_command_holds_is_exit_code_6(tmp_path: Path) -> None:
    with Workspace(tmp_path, "ai-infra").lock("restore", wait=0, on_wait=print):
        error = envelope(aiinfra(tmp_path, "up", "--timeout", "1", "--json"))["error"]
    assert (error["code"], "`aiinfra restore` (pid " in error["message"]) == ("STACK_LOCKED", True)


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=str
)
def test_each_signal_that_ends_a_command_has_its_own_exit_code(
    tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    command = [sys.executable, "-m", "aiinfra", "up", "--timeout", "600"]
    with (
        Workspace(tmp_path, "ai-infra").lock("restore", wait=0, on_wait=print),
        subprocess.Popen(command, cwd=tmp_path, env=OWN_ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        assert "waiting for `aiinfra restore`" in process.stderr.readline()
        process.send_signal(number)
        said = process.stderr.read()
    assert (process.returncode, "error: interrupted" in said.splitlines()) == (exit_code, True)


class Refusing(http.server.BaseHTTPRequestHandler):
    """An engine, as a proxy in front of one may be: it answers, and lets nobody through."""

    def refuse(self) -> None:
        body = json.dumps({"message": "not for you"}).encode()
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = refuse  # noqa: N815 - http.server's names

    def log_message(self, *_words: object) -> None:
        pass

    def address_string(self) -> str:
        return "docker"


def test_an_engine_that_refuses_is_exit_code_4_with_its_own_words(tmp_path: Path) -> None:
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "engine.sock"), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = aiinfra(tmp_path, "ls", "--json", DOCKER_HOST=f"unix://{tmp_path}/engine.sock")
        server.shutdown()
    error = envelope(done)["error"]
    assert (error["code"], "not for you" in error["message"]) == ("DOCKER_REFUSED", True), error


def test_a_docker_that_is_no_docker_is_nothing_we_know_and_shows_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "docker").symlink_to("/bin/echo")
    done = aiinfra(tmp_path, "ls", "--json", PATH=str(tmp_path))
    error = envelope(done)["error"]
    assert (error["code"], done.stderr, "defect of aiinfra" in error["hint"]) == ("INTERNAL", "", True)
    assert "Traceback" in aiinfra(tmp_path, "ls", "--verbose", PATH=str(tmp_path)).stderr
