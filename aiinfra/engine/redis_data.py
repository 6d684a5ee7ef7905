"""The data of a Redis on disk: read from one that runs or not, proved in a scratch container, put in place."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from aiinfra.engine.container import Container
from aiinfra.errors import AiinfraError, Code
from aiinfra.naming import SCRATCH_LABEL

# Seconds. Long enough for gigabytes on a slow disk.
_TIMEOUT = 900.0

# A Redis of its own in the scratch container, on a socket only, until it has loaded what is in `$DIR`.
_SERVE = """
redis-server --port 0 --unixsocket /tmp/redis.sock --dir "$DIR" --appendonly yes --save '' >/tmp/log 2>&1 &
until redis-cli -s /tmp/redis.sock ping 2>/dev/null | grep -q PONG; do
  kill -0 $! 2>/dev/null || { tail -n 3 /tmp/log >&2; exit 1; }
  sleep 0.2
done
"""
_DUMP = f"""
set -eu
DIR=/data
{_SERVE}
redis-cli -s /tmp/redis.sock save >&2
cat /data/dump.rdb
echo "keys=$(redis-cli -s /tmp/redis.sock dbsize)" >&2
redis-cli -s /tmp/redis.sock shutdown >&2 || true
wait
"""
# An interrupted swap of data is undone first. The new data lie beside the old, on the same file system.
_PROVE = f"""
set -eu
if [ -d /data/.before-restore ] && [ ! -d /data/appendonlydir ]; then mv /data/.before-restore /data/appendonlydir; fi
DIR=/data/.restore
rm -rf "$DIR"
trap 'rm -rf "$DIR"' INT TERM
mkdir -p "$DIR/appendonlydir"
cd "$DIR/appendonlydir"
cat >appendonly.aof.1.base.rdb
redis-check-rdb appendonly.aof.1.base.rdb >/tmp/check || {{ grep -v '^.offset 0' /tmp/check | tail -n 3 >&2; exit 1; }}
echo 'file appendonly.aof.1.base.rdb seq 1 type b' >appendonly.aof.manifest
{_SERVE}
redis-cli -s /tmp/redis.sock dbsize
redis-cli -s /tmp/redis.sock shutdown >&2 || true
wait
"""
_DISCARD = "rm -rf /data/.restore"
_SWAP = """
set -eu
cd /data
rm -rf .before-restore
if [ -d appendonlydir ]; then mv appendonlydir .before-restore; fi
mv .restore/appendonlydir appendonlydir
rm -rf .restore
"""
_BACK = """
set -eu
cd /data
rm -rf appendonlydir
if [ -d .before-restore ]; then mv .before-restore appendonlydir; fi
"""
_FORGET = "rm -rf /data/.before-restore"


@dataclass(frozen=True)
class RedisData:
    """The volume of a stack's Redis, as a scratch container sees it. `memory` is the limit, as Docker writes it."""

    image: str
    volume: str
    memory: str
    labels: Mapping[str, str]

    def dump(self, file: IO[bytes]) -> int:
        """Write the data of a Redis that does not run into `file`, as Redis saves them; returns the number of keys."""
        said = self._run(_DUMP, "backup", Code.BACKUP_FAILED, out=file)
        return int(said.rpartition("keys=")[2].split()[0])

    def prove(self, file: IO[bytes]) -> int:
        """Put new data beside the old and have a scratch Redis load it; returns the number of keys.

        Raises AiinfraError (BACKUP_INVALID) with what Redis said; the old data are untouched.
        """
        try:
            words = self._run(_PROVE, "restore", Code.BACKUP_INVALID, into=file).split()
        except BaseException:
            self.discard()
            raise
        return int(words[0])

    def discard(self) -> None:
        self._run(_DISCARD, "restore", Code.RESTORE_FAILED)

    def swap(self) -> None:
        """Put the new data in the place of the old, which are kept. Redis must not run."""
        self._run(_SWAP, "restore", Code.RESTORE_FAILED)

    def back(self) -> None:
        """Undo `swap`. Redis must not run."""
        self._run(_BACK, "restore", Code.RESTORE_FAILED)

    def forget(self) -> None:
        """Remove the old data for good."""
        self._run(_FORGET, "restore", Code.RESTORE_FAILED)

    def _run(
        self, script: str, purpose: str, code: Code, *, into: IO[bytes] | None = None, out: IO[bytes] | None = None
    ) -> str:
        labels = {**self.labels, SCRATCH_LABEL: purpose}
        walls = ["--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"]
        limits = [f"--memory={self.memory}", "--tmpfs=/tmp:mode=1777", "--user=999:999", "--init"]
        marks = [f"--label={name}={value}" for name, value in labels.items()]
        mount = f"--mount=type=volume,source={self.volume},target=/data"
        options = ["--rm", "-i", "--pull=never", *walls, *limits, *marks, mount, "--entrypoint=sh"]
        command = ["docker", "run", *options, self.image, "-c", script]
        try:
            done = subprocess.run(
                command,
                stdin=into or subprocess.DEVNULL,
                stdout=out or subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise AiinfraError(code, f"Redis did not answer within {_TIMEOUT:.0f} seconds") from error
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip() or "it ended without a word; was its memory too small?"
            raise AiinfraError(code, f"Redis refuses: {said[-500:]}", hint="the data of the stack are untouched")
        return (done.stderr if out else done.stdout).decode(errors="replace")


def copy_out(container: Container, path: Path, file: IO[bytes]) -> None:
    """Copy a file of a running container. Raises AiinfraError (BACKUP_FAILED)."""
    command = ["docker", "exec", container.id, "cat", str(path)]
    done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, timeout=_TIMEOUT, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise AiinfraError(Code.BACKUP_FAILED, f"{container.name}: {path} cannot be read: {said}")
