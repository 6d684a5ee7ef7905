"""How long the quick commands take on a running stack, beside `docker compose ps` on the same stack in the same run.

`config check --quick` has a limit of its own. So has `health` with one service that hangs: its own timeout and a
little, never the sum. Run: `make bench-commands`.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.startup import AIINFRA, STACK, docker, environment, in_turns, seconds

ROUNDS = 20
PROBE_SECONDS = 2.0
LIMIT, WANTED = 3.0, 2.0
CHECK = "config check --quick"
CHECK_SECONDS = 0.5


def hanging(directory: Path) -> float:
    """Return the seconds of a `health` while the gateway takes connections and never answers."""
    pid = json.loads(docker("inspect", f"{STACK}-litellm-1"))[0]["State"]["Pid"]
    pids = [int(line.split()[1]) for line in docker("top", f"{STACK}-litellm-1").splitlines()[1:]]
    for one in {pid, *pids}:
        os.kill(one, signal.SIGSTOP)
    try:
        command = [AIINFRA, "health", "--timeout", str(PROBE_SECONDS)]
        return in_turns(5, {"health": lambda: _elapsed(command, directory)})["health"]
    finally:
        for one in {pid, *pids}:
            os.kill(one, signal.SIGCONT)


def _elapsed(command: list[str], directory: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=directory, env=environment(), check=False, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        try:
            seconds([AIINFRA, "up"], directory)
            verbs = {name: [AIINFRA, *name.split()] for name in ("ps", "health", "plan", CHECK)}
            commands = {"docker compose ps": ["docker", "compose", "-p", STACK, "ps"], **verbs}
            found = in_turns(ROUNDS, {name: partial(seconds, words, directory) for name, words in commands.items()})
            hung = hanging(directory)
        finally:
            seconds([AIINFRA, "down", "--volumes", "--yes"], directory)
    checked = found.pop(CHECK)
    base = found["docker compose ps"]
    print(f"medians of {ROUNDS} rounds; at most {LIMIT} x is required, {WANTED} x is wanted")
    for name, value in found.items():
        print(f"{name:<36} {value * 1000:7.0f} ms   {value / base:5.2f} x docker compose ps")
    print(f"{CHECK:<36} {checked * 1000:7.0f} ms   its limit is {CHECK_SECONDS * 1000:.0f} ms")
    print(f"{'health, one service hangs':<36} {hung * 1000:7.0f} ms   its timeout is {PROBE_SECONDS * 1000:.0f} ms")


if __name__ == "__main__":
    main()
