"""What a user reads when something is wrong, and that nothing is lost by it."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Cli, docker, left_of

# Our own check has nothing against it; LiteLLM exits while it boots.
_GROUP = "{group_name: a, models: [default], routing_strategy: least-busy}"
EXITS_AT_BOOT = f"extends: mock\nrouter_settings: {{routing_groups: [{_GROUP}, {_GROUP}]}}\n"


def test_a_taken_port_is_refused_by_name_before_anything_starts(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        cli.settings(f"ports: {{litellm: {port}}}\n")
        error = cli.fails("up", exit_code=1)
    assert error["code"] == "PORT_TAKEN"
    assert f"port {port}" in error["message"]
    assert f"(pid {os.getpid()})" in error["message"]
    assert left_of(cli.stack) == []


def test_a_port_taken_by_a_container_names_the_container(cli: Cli, healthy: Cli) -> None:
    port = healthy.url("litellm").rsplit(":", 1)[1]
    cli.settings(f"ports: {{mpc-api: {port}}}\n")
    error = cli.fails("up", exit_code=1)
    assert f"the container {healthy.stack}-edge-1" in error["message"]


def test_a_gateway_that_exits_ends_the_wait_at_once_with_its_reason_and_log_and_a_fix_heals(cli: Cli) -> None:
    (cli.directory / "litellm").mkdir()
    (cli.directory / "litellm" / "broken.yaml").write_text(EXITS_AT_BOOT)
    cli.settings("provider_config: broken\n")
    error = cli.fails("up", "--timeout", "550", exit_code=1)
    assert (error["code"], error["details"]["service"]) == ("NOT_READY", "litellm")
    assert "it exited with code" in error["message"]
    assert error["details"]["log"]
    assert "aiinfra logs litellm" in error["hint"]
    cli.settings("provider_config: mock\n")
    actions = {row["service"]: row["action"] for row in cli.ok("up")["services"]}
    assert actions["litellm"] == "recreate"


def test_a_deadline_that_passes_says_which_service_and_what_its_check_said(cli: Cli) -> None:
    error = cli.fails("up", "--timeout", "3", exit_code=1)
    assert error["code"] == "NOT_READY"
    # Which one is late in front of all others depends on the machine.
    assert error["details"]["service"] in ("redis", "edge", "litellm", "mpc-api")
    assert "not healthy after 3 s" in error["message"]
    cli.ok("up")


def test_out_of_memory_is_reported_as_such_with_the_setting_to_raise(cli: Cli) -> None:
    process = cli.start("up")
    gateway = f"{cli.stack}-litellm-1"
    while not docker("ps", "-q", "--filter", f"name={gateway}"):
        time.sleep(0.1)
    docker("update", "--memory", "64m", "--memory-swap", "64m", gateway)
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 1
    assert "ran out of memory (its limit is services.litellm.memory)" in output


@pytest.mark.parametrize("blow", [("kill",), ("stop", "-t", "2"), ("pause",), ("rm", "-f")])
def test_up_brings_back_what_was_killed_stopped_paused_or_removed(healthy: Cli, blow: tuple[str, ...]) -> None:
    docker(*blow, healthy.ids()["mpc-api"], healthy.ids()["edge"])
    error = healthy.fails("health", exit_code=1)
    assert set(error["details"]["services"]) >= {"mpc-api", "edge"}
    actions = {row["service"]: row["action"] for row in healthy.ok("up")["services"]}
    assert (actions["redis"], actions["litellm"]) == ("unchanged", "unchanged")
    assert healthy.run("health").returncode == 0


def test_a_hung_redis_is_one_unhealthy_row_and_not_a_hung_engine(healthy: Cli) -> None:
    process = int(docker("inspect", "--format", "{{.State.Pid}}", healthy.ids()["redis"]))
    os.kill(process, signal.SIGSTOP)
    try:
        error = healthy.fails("health", "--timeout", "3", exit_code=1)
    finally:
        os.kill(process, signal.SIGCONT)
    # MPC-API, which asks Redis too, may say that it is degraded.
    assert error["details"]["services"][0] == "redis"
    assert set(error["details"]["services"]) <= {"redis", "mpc-api"}


def test_down_while_the_gateway_boots_does_not_wait_for_its_grace_period(cli: Cli) -> None:
    cli.fails("up", "--timeout", "1", exit_code=1)
    start = time.monotonic()
    cli.ok("down")
    # Half of it.
    assert time.monotonic() - start < 150


def test_a_directory_with_odd_characters_in_its_name_works(cli: Cli) -> None:
    odd = cli.directory / "50 % of $HOME, 'ö' #1"
    odd.mkdir()
    Cli(cli.command, odd, cli.stack).ok("up")


def test_logs_into_a_closed_pipe_end_well_and_leave_no_process(healthy: Cli) -> None:
    line = f"cd {healthy.directory} && {healthy.command} -s {healthy.stack} logs -f | head -1"
    # A closed pipe is noticed with the next line that is written.
    ended, url = threading.Event(), healthy.url("mpc-api")
    lines = threading.Thread(target=lambda: [httpx.get(url, timeout=60) for _ in range(10000) if not ended.wait(0.5)])
    lines.start()
    try:
        command = ["bash", "-c", f"timeout 300 bash -o pipefail -c '{line}'"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        ended.set()
        lines.join()
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 1, "")
    time.sleep(1)
    running = subprocess.run(["pgrep", "-f", f"compose -p {healthy.stack} logs"], capture_output=True, check=False)
    assert running.stdout == b""


def test_a_stack_of_another_directory_is_never_hijacked(healthy: Cli, tmp_path: Path) -> None:
    elsewhere = Cli(healthy.command, tmp_path, healthy.stack)
    for verb in (["up"], ["down"], ["ps"]):
        error = elsewhere.fails(*verb, exit_code=1)
        assert error["code"] == "STACK_ELSEWHERE"
        assert f"-C {healthy.directory}" in error["hint"]
    assert healthy.run("health").returncode == 0


def test_another_directory_cannot_remove_the_data_of_a_stopped_stack(
    cli: Cli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cli.ok("up")
    cli.ok("down")
    elsewhere = Cli(cli.command, tmp_path_factory.mktemp("elsewhere"), cli.stack)
    for verb in (["down", "--volumes", "--yes"], ["up"]):
        assert elsewhere.fails(*verb, exit_code=1)["code"] == "STACK_ELSEWHERE"
    assert left_of(cli.stack) == [f"{cli.stack}-redis-data"]


def test_a_directory_that_was_moved_keeps_its_stack_and_its_data(cli: Cli) -> None:
    before = cli.directory / "before"
    before.mkdir()
    old = Cli(cli.command, before, cli.stack)
    old.ok("up")
    old.redis("SET", "kept", "yes")
    moved = Cli(cli.command, before.rename(cli.directory / "after"), cli.stack)
    moved.ok("up")
    assert moved.redis("GET", "kept") == "yes"
    moved.ok("down", "--volumes", "--yes")
    assert left_of(cli.stack) == []


def test_bad_keys_and_settings_leave_a_running_stack_alone(healthy: Cli) -> None:
    before = healthy.ids()
    keys_file = healthy.directory / f".env.{healthy.stack}"
    good = keys_file.read_text()
    try:
        keys_file.write_text(good.replace("LITELLM_MASTER_KEY=sk-", "LITELLM_MASTER_KEY=sk-1234\n#"))
        assert "LITELLM_MASTER_KEY" in healthy.fails("up", exit_code=3)["message"]
        keys_file.write_text(good + "what is this\n")
        assert f"{keys_file.name}:{len(good.splitlines()) + 1}" in healthy.fails("up", exit_code=3)["message"]
        healthy.settings("provider_config: multi-provider\n")
        keys_file.write_text(good)
        assert "OPENAI_API_KEY" in healthy.fails("up", exit_code=3)["message"]
    finally:
        keys_file.write_text(good)
        (healthy.directory / "aiinfra.yaml").unlink(missing_ok=True)
    assert healthy.ids() == before
    assert healthy.ok("up")["changed"] is False


def test_key_files_that_others_could_read_are_repaired_and_it_is_said(healthy: Cli) -> None:
    keys_file = healthy.directory / f".env.{healthy.stack}"
    keys_file.chmod(0o644)
    done = healthy.run("up")
    assert done.returncode == 0
    assert "others could read it" in done.stderr
    assert keys_file.stat().st_mode & 0o777 == 0o600


def test_an_engine_that_is_not_where_docker_host_says_is_exit_code_4_and_says_where_it_looked(cli: Cli) -> None:
    error = cli.fails("up", exit_code=4, DOCKER_HOST="unix:///nonexistent.sock")
    assert (error["code"], "unix:///nonexistent.sock" in error["hint"]) == ("DOCKER_STOPPED", True)


def test_a_stopped_engine_is_exit_code_4_with_the_command_that_starts_it(cli: Cli) -> None:
    # A machine without a socket, as far as this process and its children can see.
    shell = f"mount -t tmpfs none /run && exec {cli.command} --stack {cli.stack} -C {cli.directory} up"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", shell], capture_output=True, text=True, check=False)
    assert (done.returncode, "no Docker engine answers" in done.stderr) == (4, True), done.stderr
    assert "systemctl start docker" in done.stderr


def test_an_engine_that_never_answers_is_told_within_its_timeout(cli: Cli, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "hung.sock"))
        silent.listen()
        start = time.monotonic()
        error = cli.fails("ps", exit_code=4, DOCKER_HOST=f"unix://{tmp_path}/hung.sock")
    assert (error["code"], "did not answer within" in error["message"]) == ("DOCKER_STOPPED", True)
    assert time.monotonic() - start < 15


def test_a_user_who_may_not_use_the_engine_reads_how_to_be_allowed(command: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    # May read what root made for this test, as if it were installed for all; may not write to Docker's socket.
    capability = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *capability]
    done = subprocess.run([*nobody, "docker", "version"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "permission denied" in done.stderr
    code = "import sys; sys.argv[0] = 'aiinfra'; from aiinfra.__main__ import main; main()"
    installed = [str(command.parent / "python"), "-c", code, "ps"]
    readable = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        [*nobody, *installed], cwd=tmp_path, env=readable, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "usermod -aG docker" in done.stderr) == (4, True), done.stderr


def test_a_missing_compose_plugin_is_named_with_the_package_to_install(cli: Cli) -> None:
    folders = [
        path
        for path in ("/usr/libexec", "/usr/lib", "/usr/local/libexec", "/usr/local/lib")
        if Path(path, "docker/cli-plugins").is_dir()
    ]
    hide = " && ".join(f"mount -t tmpfs none {path}/docker/cli-plugins" for path in folders)
    shell = f"{hide} && exec {cli.command} --stack {cli.stack} -C {cli.directory} up"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", shell], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "Docker's Compose plugin is not installed" in done.stderr
    assert "docker-compose-plugin" in done.stderr


def test_a_base_image_that_cannot_be_had_is_named_with_the_two_ways_out(cli: Cli) -> None:
    missing = "registry.invalid/redis:8.0"
    cli.settings(f'build: {{base_images: {{"redis:8.0": "{missing}"}}}}\n')
    error = cli.fails("up", exit_code=1)
    assert (error["code"], error["details"]["image"]) == ("BASE_IMAGE_MISSING", missing)
    assert "docker load" in error["hint"]
    assert "base_images" in error["hint"]
    assert left_of(cli.stack) == []


def test_an_edge_that_does_not_know_its_configuration_is_told_before_anything_runs(cli: Cli) -> None:
    cli.settings('build: {base_images: {"haproxy:3.0": "redis:8.0"}}\n')
    error = cli.fails("up", exit_code=1)
    assert (error["code"], "redis:8.0 refuses" in error["message"]) == ("EDGE_REFUSED", True)
    assert docker("ps", "-q", "--filter", f"label=org.aiinfra.stack={cli.stack}") == ""


def fill(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        while True:
            os.write(descriptor, b"x" * 4096)
    os.close(descriptor)


def test_a_full_disk_of_the_stack_directory_is_told_and_what_runs_goes_on(cli: Cli) -> None:
    disk = cli.directory / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)], check=True)
    try:
        small = Cli(cli.command, disk, cli.stack)
        small.ok("up")
        before = small.ids()
        small.settings("services: {mpc-api: {log_level: debug}}\n")
        filler = disk / "filler"
        fill(filler)
        assert small.fails("up", exit_code=1)["code"] == "DISK_FULL"
        filler.unlink()
        assert small.ids() == before
        assert small.ok("up")["changed"] is True
    finally:
        cli.remove()
        subprocess.run(["umount", "-l", str(disk)], check=True)
