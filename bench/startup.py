"""How long a user waits: for the command itself, for a stack to come up, for `up` when there is nothing to do.

Everything is measured side by side, in turns, in this one run; what counts are the ratios. Run: `make bench`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

AIINFRA = str(Path(sys.executable).parent / "aiinfra")
STACK = f"bench-{uuid.uuid4().hex[:8]}"
QUICK_ROUNDS = 30
STACK_ROUNDS = 5


def seconds(command: Sequence[str], directory: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=directory, env=environment(), check=True, capture_output=True)
    return time.perf_counter() - start


def environment() -> dict[str, str]:
    return {**os.environ, "AIINFRA_STACK": STACK}


def in_turns(rounds: int, measured: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Return the median seconds of each, taken in turns so that a busy moment hits all of them."""
    found: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, measure in measured.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


def gateway_alone(directory: Path) -> float:
    """Return the seconds that the stack's own gateway takes with nothing beside it."""
    container = json.loads(docker("inspect", f"{STACK}-litellm-1"))[0]
    down(directory)
    return boot(container)


def boot(gateway: dict[str, Any]) -> float:
    """Return the seconds from `docker run` of a gateway's image and config to its first 200 on readiness."""
    mounts = [f"--volume={one['Source']}:{one['Destination']}:ro" for one in gateway["Mounts"]]
    options = ["--detach", "--rm", "--publish", "127.0.0.1::4000", "--user", gateway["Config"]["User"], *mounts]
    start = time.perf_counter()
    name = docker("run", *options, gateway["Config"]["Image"]).strip()
    try:
        address = docker("port", name, "4000").splitlines()[0]
        while not answers(f"http://{address}/health/readiness"):
            time.sleep(0.05)
        return time.perf_counter() - start
    finally:
        docker("rm", "--force", name)


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as response:  # noqa: S310 - our own container
            return bool(response.status == 200)  # noqa: PLR2004
    except (URLError, OSError):
        return False


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


def down(directory: Path) -> None:
    seconds([AIINFRA, "down"], directory)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        quick = in_turns(
            QUICK_ROUNDS,
            {
                "python -c pass": lambda: seconds([sys.executable, "-c", "pass"], directory),
                "aiinfra --version": lambda: seconds([AIINFRA, "--version"], directory),
                "aiinfra --help": lambda: seconds([AIINFRA, "--help"], directory),
                "aiinfra config check --quick": lambda: seconds([AIINFRA, "config", "check", "--quick"], directory),
            },
        )
        try:
            seconds([AIINFRA, "up"], directory)
            nothing_to_do = in_turns(QUICK_ROUNDS // 3, {"up": lambda: seconds([AIINFRA, "up"], directory)})["up"]
            stack = in_turns(
                STACK_ROUNDS,
                {
                    "gateway alone": lambda: gateway_alone(directory),
                    "aiinfra up": lambda: seconds([AIINFRA, "up"], directory),
                },
            )
        finally:
            seconds([AIINFRA, "down", "--volumes", "--yes"], directory)
    show(quick, stack, nothing_to_do)


def show(quick: dict[str, float], stack: dict[str, float], nothing_to_do: float) -> None:
    base = quick["python -c pass"]
    for name, value in quick.items():
        print(f"{name:<36} {value * 1000:7.0f} ms   {value / base:5.1f} x python")
    alone, up = stack["gateway alone"], stack["aiinfra up"]
    print(f"{'gateway alone, to its first 200':<36} {alone:7.2f} s")
    print(f"{'aiinfra up, to all healthy':<36} {up:7.2f} s    {up / alone:5.2f} x gateway alone")
    print(f"{'  the limit: 1.15 x alone + 3 s':<36} {1.15 * alone + 3:7.2f} s")
    print(f"{'aiinfra up, nothing to do':<36} {nothing_to_do:7.2f} s")


if __name__ == "__main__":
    main()
