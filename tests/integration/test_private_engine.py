"""The second engine that other tests rely on: it is real, apart from the first one, and leaves nothing."""

import signal
import subprocess
import sys
import textwrap

import psutil
import pytest

from tests.conftest import OWN_ENVIRONMENT, REPOSITORY
from tests.private_engine import ROOT, PrivateEngine, started, until

pytestmark = pytest.mark.engine


def test_it_shares_nothing_with_the_engine_of_this_machine(private_engine: PrivateEngine) -> None:
    private_engine.tiny("private-thing:1", labels={"a": "b c"})
    shared = subprocess.run(["docker", "images", "-q", "private-thing"], capture_output=True, text=True, check=True)
    assert shared.stdout == ""
    label = private_engine.docker("image", "inspect", "--format", '{{index .Config.Labels "a"}}', "private-thing:1")
    assert label.strip() == "b c"
    private_engine.docker("rmi", "private-thing:1")


def test_a_container_s_published_port_answers_inside_and_survives_a_restart(private_engine: PrivateEngine) -> None:
    private_engine.load("redis:8.0")
    run = ["run", "-d", "--restart=unless-stopped", "-p", "127.0.0.1:7777:6379", "redis:8.0", "redis-server"]
    container = private_engine.docker(*run, "--protected-mode", "no").strip()
    ping = private_engine.inside([sys.executable, "-c", textwrap.dedent("""\
        import socket
        with socket.create_connection(("127.0.0.1", 7777), 5) as one:
            one.sendall(b"PING\\r\\n")
            assert one.recv(7) == b"+PONG\\r\\n", "no pong"
    """)])  # fmt: skip
    try:
        until(lambda: subprocess.run(ping, check=False, capture_output=True).returncode == 0, "redis answers")
        private_engine.restart()
        until(lambda: subprocess.run(ping, check=False, capture_output=True).returncode == 0, "redis answers again")
    finally:
        private_engine.docker("rm", "-f", container)


def test_a_frozen_engine_does_not_answer_until_it_is_thawed(private_engine: PrivateEngine) -> None:
    ask = ["docker", "--host", private_engine.host, "version"]
    with private_engine.frozen(), pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(ask, check=False, capture_output=True, timeout=1)
    assert subprocess.run(ask, check=False, capture_output=True, timeout=60).returncode == 0


def test_an_engine_on_a_small_disk_refuses_what_does_not_fit() -> None:
    with started(disk=40_000_000) as engine:
        engine.tiny("fits:1", size=1_000_000)
        with pytest.raises(subprocess.CalledProcessError):
            engine.tiny("too-large:1", size=60_000_000)


def test_what_a_killed_test_run_left_is_removed_by_the_next_one() -> None:
    code = "from tests.private_engine import started\nwith started() as e: print(e.name, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
        env=OWN_ENVIRONMENT,
    ) as run:  # fmt: skip
        assert run.stdout
        name = run.stdout.readline().strip()
        run.send_signal(signal.SIGKILL)
    assert _traces(name)
    with started():
        assert not _traces(name)


def _traces(name: str) -> list[str]:
    networks = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout.split()
    folders = [path.name for path in ROOT.glob("*")]
    running = [word for one in psutil.process_iter(["cmdline"]) for word in one.info["cmdline"] or [] if name in word]
    return [one for one in (*networks, *folders, *running) if name in one]
