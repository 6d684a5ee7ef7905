"""The stack directory: found, private, locked, never half-written."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aiinfra import disk, workspace
from aiinfra.errors import AiinfraError, Code
from aiinfra.rendering import RenderedFile
from aiinfra.state import State
from aiinfra.workspace import Workspace
from tests.conftest import FIXED_IDENTITY


def test_the_stack_directory_is_found_from_below_as_git_does(tmp_path: Path) -> None:
    (tmp_path / "aiinfra.yaml").touch()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert workspace.find(below) == tmp_path
    (tmp_path / "a" / ".aiinfra" / "demo").mkdir(parents=True)
    assert workspace.find(below) == tmp_path
    (tmp_path / "a" / ".aiinfra" / "demo" / "state.json").touch()
    assert workspace.find(below) == tmp_path / "a"


def test_a_directory_with_nothing_above_is_its_own_stack_directory(tmp_path: Path) -> None:
    assert workspace.find(tmp_path) == tmp_path


def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    one = Workspace(tmp_path, "demo")
    one.prepare()
    assert one.state() is None
    one.save(State(FIXED_IDENTITY, 3, healthy=True, applied={"provider_config": "mock"}))
    assert one.state() == State(FIXED_IDENTITY, 3, healthy=True, applied={"provider_config": "mock"})
    assert (one.root / "state.json").stat().st_mode & 0o777 == 0o600
    assert one.root.parent.stat().st_mode & 0o777 == 0o700
    assert (one.root.parent / ".gitignore").read_text() == "*\n"


GOOD = {"instance": "x", "digest_key": "00", "address": "::1", "generation": 1, "healthy": True, "applied": {}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"instance": 1, "digest_key": "zz"}',
        json.dumps({**GOOD, "ports": {}}),
        json.dumps({**GOOD, "ports": {"litellm": 99999, "mpc-api": 3000}}),
    ],
)
def test_a_damaged_state_is_refused_with_the_file_and_the_way_out(tmp_path: Path, text: str) -> None:
    one = Workspace(tmp_path, "demo")
    one.prepare()
    (one.root / "state.json").write_text(text)
    with pytest.raises(AiinfraError, match=r"state\.json is damaged") as caught:
        one.state()
    assert (caught.value.code, "remove that file" in caught.value.hint) == (Code.STATE_INVALID, True)


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    disk.write(path, "old")
    with pytest.raises(UnicodeEncodeError):
        disk.write(path, "new \ud800")
    assert [item.name for item in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


def test_a_file_that_cannot_be_written_is_named_with_the_reason() -> None:
    with pytest.raises(AiinfraError, match="/dev/full/x: Not a directory") as caught:
        disk.write(Path("/dev/full/x"), "text")
    assert caught.value.code is Code.FILE_UNWRITABLE


def test_secret_files_are_for_their_reader_alone_and_others_are_readable_by_containers(tmp_path: Path) -> None:
    one = Workspace(tmp_path, "demo")
    one.prepare()
    before = os.umask(0o077)
    try:
        one.write_rendered([RenderedFile("s-1/KEY", "x\n", secret=True), RenderedFile("c-1/config.yaml", "y")])
    finally:
        os.umask(before)
    modes = {name: (one.root / name).stat().st_mode & 0o777 for name in ("s-1", "s-1/KEY", "c-1", "c-1/config.yaml")}
    assert modes == {"s-1": 0o700, "s-1/KEY": 0o400, "c-1": 0o755, "c-1/config.yaml": 0o644}
    assert (one.root / "s-1/KEY").read_bytes() == b"x\n"


def test_sweeping_removes_only_what_is_no_longer_mounted(tmp_path: Path) -> None:
    one = Workspace(tmp_path, "demo")
    one.prepare()
    old = RenderedFile("c-000000000001/config.yaml", "old")
    new = RenderedFile("c-000000000002/config.yaml", "new")
    one.write_rendered([old, new])
    one.sweep([new])
    assert sorted(path.name for path in one.root.iterdir()) == ["c-000000000002"]


HOLD = """
import sys, time
from pathlib import Path
from aiinfra.workspace import Workspace
with Workspace(Path(sys.argv[1]), "demo").lock("up", wait=0, on_wait=print):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_held_lock_names_its_holder_and_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        one, waited = Workspace(tmp_path, "demo"), list[str]()
        with pytest.raises(AiinfraError) as caught, one.lock("down", wait=0.2, on_wait=waited.append):
            pass
        assert (caught.value.code, caught.value.code.exit_code) == (Code.STACK_LOCKED, 6)
        assert f"`aiinfra up` (pid {holder.pid}, since" in caught.value.message
        assert waited
        holder.kill()
    with one.lock("down", wait=0, on_wait=waited.append):
        pass


# More than the limit on the size of a file: the kernel kills the process in the middle of the write.
KILLED = """
import resource, signal, sys
from pathlib import Path
from aiinfra import disk
from aiinfra.workspace import Workspace
one = Workspace(Path(sys.argv[1]), "ai-infra")
with one.lock("up", wait=0, on_wait=print):
    (one.root / "edge").mkdir()
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    disk.write(Path(sys.argv[2]), "x" * 100)
"""


@pytest.mark.parametrize("file", [".aiinfra/ai-infra/state.json", ".aiinfra/ai-infra/edge/haproxy.cfg", ".env"])
def test_what_a_killed_command_had_not_written_to_the_end_is_gone_with_the_next_one(tmp_path: Path, file: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(tmp_path / file)], check=False)
    assert done.returncode == -signal.SIGXFSZ
    neighbour = tmp_path / "..env.demo.abcdefgh.unfinished~"
    neighbour.touch()
    assert len(list(tmp_path.rglob("*.unfinished~"))) == 2
    with Workspace(tmp_path, "ai-infra").lock("up", wait=0, on_wait=print):
        pass
    assert list(tmp_path.rglob("*.unfinished~")) == [neighbour]


def test_free_ports_are_chosen_once_and_then_remembered() -> None:
    wanted: dict[str, int | None] = {"litellm": None, "mpc-api": None}
    first = workspace.new_identity(wanted, "127.0.0.1")
    assert len(set(first.ports.values())) == 2
    assert workspace.with_ports(first, wanted, "127.0.0.1") == first
    assert workspace.with_ports(first, {"litellm": 4000, "mpc-api": None}, "127.0.0.1").ports["litellm"] == 4000


def test_a_port_that_is_wanted_for_one_service_is_not_kept_for_the_other() -> None:
    first = workspace.new_identity({"litellm": None, "mpc-api": 3000}, "127.0.0.1")
    swapped = workspace.with_ports(first, {"litellm": 3000, "mpc-api": None}, "127.0.0.1")
    assert (swapped.ports["litellm"], swapped.ports["mpc-api"] != 3000) == (3000, True)
