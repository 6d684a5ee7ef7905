from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import daemon
from decision import Action, Facts, decide
from docker_packages import DISTRIBUTIONS, wanted
from steps import StopError, version

READY = Facts(engine=(28, 5, 2), compose=(2, 40, 3), buildx=(0, 29, 1), distribution="debian", root=True)
STOPPED = replace(READY, engine=None, refusal="Cannot connect to the Docker daemon", dockerd=(28, 5, 2))
BARE = Facts(refusal="docker: command not found", distribution="debian", root=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("28.5.2+dfsg4-5", (28, 5, 2)),
        ("5:27.0.3-1~debian.12~bookworm", (27, 0, 3)),
        ("v2.40.3-desktop.1", (2, 40, 3)),
        ("2.30", (2, 30)),
        ("github.com/docker/buildx v0.29.1 a32761aeb3debd39be1eca514af3693af0db334b", (0, 29, 1)),
        ("Docker version 28.5.2+dfsg4, build 3ef3c07", (28, 5, 2)),
        ("(none)", None),
        ("", None),
    ],
)
def test_a_version_is_found_in_what_programs_print(text: str, expected: tuple[int, ...] | None) -> None:
    assert version(text) == expected


@pytest.mark.parametrize(
    ("facts", "action"),
    [
        (READY, Action.READY),
        (replace(READY, root=False, distribution=""), Action.READY),
        (replace(READY, host="tcp://elsewhere:2376"), Action.READY),
        (replace(READY, engine=(25, 0), compose=(2, 30)), Action.READY),
        (replace(READY, engine=(24, 0, 9)), Action.STOP),
        (replace(READY, compose=(2, 29, 7)), Action.INSTALL),
        (replace(READY, buildx=None), Action.INSTALL),
        (replace(READY, buildx=None, root=False), Action.STOP),
        (replace(READY, buildx=None, distribution=""), Action.STOP),
        (STOPPED, Action.START),
        (replace(STOPPED, distribution=""), Action.START),
        (replace(STOPPED, root=False), Action.STOP),
        (replace(STOPPED, dockerd=(20, 10, 24)), Action.INSTALL),
        (replace(STOPPED, refusal="permission denied while trying to connect"), Action.STOP),
        (replace(STOPPED, host="tcp://elsewhere:2376"), Action.STOP),
        (replace(STOPPED, host="unix:///var/run/docker.sock"), Action.START),
        (BARE, Action.INSTALL),
        (replace(BARE, distribution="ubuntu"), Action.INSTALL),
        (replace(BARE, root=False), Action.STOP),
        (replace(BARE, distribution=""), Action.STOP),
    ],
)
def test_the_facts_decide_what_to_do(facts: Facts, action: Action) -> None:
    assert decide(facts).action is action


@pytest.mark.parametrize(
    ("facts", "why", "hint"),
    [
        (replace(READY, engine=(20, 10, 24)), "engine 20.10.24", "docs.docker.com"),
        (replace(STOPPED, root=False), "not running", "systemctl start docker"),
        (replace(STOPPED, refusal="Permission denied"), "may not use its socket", "usermod -aG docker"),
        (replace(STOPPED, host="tcp://elsewhere:2376"), "DOCKER_HOST=tcp://elsewhere:2376", "unset DOCKER_HOST"),
        (replace(BARE, root=False), "takes root", "run this as root"),
        (replace(BARE, distribution=""), "Debian and Ubuntu only", "docs.docker.com"),
    ],
)
def test_a_stop_says_why_and_what_to_do(facts: Facts, why: str, hint: str) -> None:
    decision = decide(facts)
    assert why in decision.why
    assert hint in decision.hint


def test_an_engine_that_answers_is_not_installed_again_for_the_sake_of_a_plugin() -> None:
    assert not decide(replace(READY, compose=None)).engine
    assert not decide(replace(STOPPED, compose=None)).engine
    assert decide(BARE).engine


def test_the_machines_own_packages_are_taken_when_they_are_new_enough() -> None:
    offers = {"docker.io": (28, 2), "docker-compose-v2": (2, 40), "docker-buildx": (0, 21)}
    names, suite = wanted(DISTRIBUTIONS["ubuntu"], offers, "noble", engine=True)
    assert names == ["docker.io", "docker-compose-v2", "docker-buildx", "containerd", "runc", "iptables"]
    assert suite == ""


def test_a_further_suite_gives_docker_but_not_what_needs_a_newer_libc() -> None:
    offers = {"docker.io": (20, 10, 24), "docker-compose": (1, 29, 2)}
    names, suite = wanted(DISTRIBUTIONS["debian"], offers, "bookworm", engine=True)
    assert suite == "sid"
    assert names[:4] == ["docker.io/sid", "docker-cli/sid", "docker-compose/sid", "docker-buildx/sid"]
    assert names[4:] == ["containerd/bookworm", "runc/bookworm", "iptables/bookworm"]


def test_only_the_plugins_are_installed_beside_an_engine_that_answers() -> None:
    names, _ = wanted(DISTRIBUTIONS["debian"], {}, "bookworm", engine=False)
    assert names == ["docker-compose/sid", "docker-buildx/sid"]


def test_a_release_without_a_further_suite_that_is_too_old_is_refused_with_what_it_offers() -> None:
    with pytest.raises(StopError, match=r"docker\.io 20\.10, docker-compose-v2 none"):
        wanted(DISTRIBUTIONS["ubuntu"], {"docker.io": (20, 10)}, "focal", engine=True)


def test_a_pid_file_counts_only_for_a_living_process_of_that_name(tmp_path: Path) -> None:
    pid_file = tmp_path / "docker.pid"
    assert not daemon.alive(pid_file, "dockerd")
    pid_file.write_text(str(os.getpid()))
    own_name = Path("/proc/self/comm").read_text().strip()
    assert daemon.alive(pid_file, own_name)
    assert not daemon.alive(pid_file, "dockerd")
    pid_file.write_text("not a number")
    assert not daemon.alive(pid_file, own_name)


def test_a_zombie_is_not_alive(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    name = Path(f"/proc/{child}/comm").read_text().strip()
    (tmp_path / "pid").write_text(str(child))
    assert not daemon.alive(tmp_path / "pid", name)
    os.waitpid(child, 0)
