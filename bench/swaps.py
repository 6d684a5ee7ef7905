"""Swaps under load: what is lost, cut or run twice, and how long requests take during a swap and without.

    python -m bench.swaps [--swaps 300] [--broken 30] [--kills 10] [--streams 2] [--directory DIR]

A round is one swap of the gateway and four of MPC-API, after a quiet time that they are measured against; one of
streams is a swap of the gateway while it streams answers of minutes. Resumable:
each round is a line in DIR/rounds.jsonl, and a run goes on where the last one stopped. The stack of its own stays until
`--remove`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from bench.load import KINDS, Answer, Load

AIINFRA = str(Path(sys.executable).parent / "aiinfra")
STACK = "bench-swaps"
QUIET, SHORT = 10.0, 3.0
# The engine notes a death up to this many seconds after it.
NOTED = 0.1
ROUND = ("mpc-api", "mpc-api", "litellm", "mpc-api", "mpc-api")
EDGE_ROUNDS = 2000

# The times of swaps, by service.
Spans = dict[str, list[tuple[float, float]]]
WITHOUT = "without"
# The first requests of a load, while its connections are made and the logs are found: measured with neither.
START = "start"
HALVES = ((WITHOUT,), ("mpc-api",), ("litellm",), ("mpc-api", "litellm"))
Times = Mapping[str, Mapping[str, Sequence[int]]]

# Answers that take longer than any load balancer's patience, and the model that gives them.
STREAMS, LONG_SECONDS = 8, 150
LONG = f"mock/slow-{LONG_SECONDS}"
LONG_CONFIG = f"extends: mock\nmodel_list: [{{model_name: {LONG}, litellm_params: {{model: {LONG}}}}}]\n"

# Too little to boot with: what a new version that needs more than its limit meets.
TOO_LITTLE = "64m"


def aiinfra(directory: Path, *arguments: str, exit_code: int = 0) -> Any:  # noqa: ANN401 - JSON
    environment = {**os.environ, "AIINFRA_STACK": STACK}
    command = [AIINFRA, *arguments, "--json"]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != exit_code:
        raise SystemExit(f"`aiinfra {' '.join(arguments)}` ended with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


def new_load(directory: Path) -> Load:
    lines = (directory / f".env.{STACK}").read_text(encoding="utf-8").splitlines()
    keys = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    ports = {row["service"]: row["ports"] for row in aiinfra(directory, "ps")["data"]["containers"]}
    gateway, api = (f"http://127.0.0.1:{ports[service][0]}" for service in ("litellm", "mpc-api"))
    return Load(STACK, gateway, api, keys["LITELLM_MASTER_KEY"], keys["MPC_API_KEY"], pause=0.6)


def swap_round(directory: Path) -> dict[str, Any]:
    """Swaps of the gateway and of MPC-API, measured against a quiet time just before them."""
    load, during = new_load(directory), Spans({"mpc-api": [], "litellm": []})
    with load.running():
        begun = time.monotonic()
        time.sleep(SHORT)
        start = {START: [(begun, time.monotonic())]}
        time.sleep(QUIET)
        for service in ROUND:
            begun = time.monotonic()
            aiinfra(directory, "restart", service, "--timeout", "600")
            during[service].append((begun, time.monotonic()))
    return counted("swap", len(ROUND), load, start | during) | {"seconds": lengths(during)}


def broken_round(directory: Path) -> dict[str, Any]:
    """One swap to a gateway that runs out of memory; afterwards the old containers still serve."""
    load, before = new_load(directory), containers()
    with load.running():
        begun = time.monotonic()
        environment = {**os.environ, "AIINFRA_STACK": STACK}
        command = [AIINFRA, "restart", "litellm", "--timeout", "600"]
        process = subprocess.Popen(command, cwd=directory, env=environment, stderr=subprocess.DEVNULL)
        while not (new := containers() - before):
            time.sleep(0.05)
        docker("update", "--memory", TOO_LITTLE, "--memory-swap", TOO_LITTLE, *new)
        refused = process.wait() == 1
        during = {"litellm": [(begun, time.monotonic())]}
    return counted("broken", 1, load, during) | {"kept": refused and containers() == before}


def containers() -> set[str]:
    return set(docker("ps", "-aq", "--filter", f"label=org.aiinfra.stack={STACK}").split())


def kill_round(directory: Path) -> dict[str, Any]:
    """One of two MPC-APIs is killed; what was in flight there may be lost, nothing else."""
    aiinfra(directory, "up", "--scale", "mpc-api=2", "--timeout", "600")
    load = new_load(directory)
    with load.running():
        time.sleep(SHORT)
        victim = docker("ps", "-q", "--filter", f"name={STACK}-mpc-api").split()[0]
        docker("kill", "--signal", "KILL", victim)
        killed = death(victim)
        time.sleep(SHORT)
    lost = [one for one in load.faults if one.began < killed < one.began + one.seconds + NOTED]
    load.answers = [one for one in load.answers if one not in lost]
    return counted("kill", 1, load, {"mpc-api": [(killed, killed + SHORT)]}) | {"in_flight": len(lost)}


def death(container: str) -> float:
    """Return when a container died, in the seconds of `time.monotonic`."""
    state = json.loads(docker("inspect", container))[0]["State"]
    return datetime.fromisoformat(state["FinishedAt"]).timestamp() - time.time() + time.monotonic()


def stream_round(directory: Path) -> dict[str, Any]:
    """A swap of the gateway that is in the middle of answers of minutes; each must arrive whole."""
    (directory / "litellm").mkdir(exist_ok=True)
    (directory / "litellm" / "long.yaml").write_text(LONG_CONFIG, encoding="utf-8")
    aiinfra(directory, "use-config", "long", "--timeout", "600")
    load = new_load(directory)
    with load.running(), ThreadPoolExecutor(STREAMS) as pool:
        streams = [pool.submit(load.stream, LONG) for _ in range(STREAMS)]
        time.sleep(SHORT)
        begun = time.monotonic()
        aiinfra(directory, "restart", "litellm", "--timeout", "600")
        during = {"litellm": [(begun, time.monotonic())]}
        found = [one.result() for one in streams]
    whole = sum(not one.fault and one.seconds >= LONG_SECONDS for one in found)
    load.answers += found
    aiinfra(directory, "use-config", "mock", "--timeout", "600")
    return counted("streams", 1, load, during) | {"whole": f"{whole} of {STREAMS}", "seconds": lengths(during)}


def counted(kind: str, number: int, load: Load, during: Spans) -> dict[str, Any]:
    """Return what a round came to; `during` are the times of its swaps, by service."""
    cut = [one for one in load.faults if "cut" in one.fault or "Protocol" in one.fault or "ReadError" in one.fault]
    milliseconds: dict[str, dict[str, list[int]]] = {WITHOUT: {}, **{service: {} for service in during}}
    for one in load.answers:
        milliseconds[when(one, during)].setdefault(one.kind, []).append(round(one.seconds * 1000))
    return {
        "kind": kind,
        "number": number,
        "requests": len(load.answers),
        "seen": load.seen,
        "failed": len(load.faults) - len(cut),
        "cut": len(cut),
        "twice": len(load.twice),
        "faults": [one.fault for one in load.faults][:10],
        "milliseconds": milliseconds,
    }


def when(one: Answer, during: Spans) -> str:
    """Return the service whose swap a request met, or that it met none."""
    for service, spans in during.items():
        if any(one.began < end and begun < one.began + one.seconds for begun, end in spans):
            return service
    return WITHOUT


def lengths(during: Spans) -> dict[str, list[float]]:
    return {service: [round(end - begun, 1) for begun, end in spans] for service, spans in during.items()}


def edge_adds(rounds: int = EDGE_ROUNDS) -> float:
    """Return the milliseconds (p50) that the edge adds to MPC-API's cheapest answer; taken in turns."""
    container = json.loads(docker("inspect", docker("ps", "-q", "--filter", f"name={STACK}-mpc-api").split()[0]))[0]
    address = container["NetworkSettings"]["Networks"][f"{STACK}-backend"]["IPAddress"]
    edge = json.loads(docker("inspect", f"{STACK}-edge-1"))[0]["NetworkSettings"]["Networks"]
    # Both by their addresses: Docker's proxy for published ports is no part of the edge.
    urls = (f"http://{address}:3000/health/live", f"http://{edge[f'{STACK}-backend']['IPAddress']}:3000/health/live")
    found: tuple[list[float], list[float]] = ([], [])
    with httpx.Client(trust_env=False) as client:
        for _ in range(rounds):
            for url, times in zip(urls, found, strict=True):
                start = time.perf_counter()
                client.get(url)
                times.append(time.perf_counter() - start)
    return (statistics.median(found[1]) - statistics.median(found[0])) * 1000


def rounds_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def missing(path: Path, wanted: dict[str, int]) -> Iterator[str]:
    """Yield the kinds of rounds that are still to be made, counted from what the file has."""
    for kind, number in wanted.items():
        while sum(one["number"] for one in rounds_of(path) if one["kind"] == kind) < number:
            yield kind


def share(values: Sequence[int], part: float) -> int:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0


def show(found: Sequence[dict[str, Any]]) -> None:
    print(f"{'':<8} {'done':>5} {'requests':>9} {'failed':>7} {'cut':>5} {'twice':>6}")
    for kind in ("swap", "broken", "kill", "streams"):
        rows = [one for one in found if one["kind"] == kind]
        totals = [sum(one[name] for one in rows) for name in ("number", "requests", "failed", "cut", "twice")]
        print(f"{kind:<8} {totals[0]:>5} {totals[1]:>9} {totals[2]:>7} {totals[3]:>5} {totals[4]:>6}")
    rows = [one["milliseconds"] for one in found if one["kind"] == "swap"]
    for part, title in ((0.5, "p50"), (0.99, "p99")):
        columns = (WITHOUT, "mpc-api", "litellm", "both", "ratio")
        print(f"\n{title + ', ms':<12}" + "".join(f"{name:>10}" for name in columns))
        for asked in (*KINDS, None):
            times = [[ms for half in halves for ms in taken(rows, half, asked)] for halves in HALVES]
            shown = [share(one, part) for one in times]
            ratio = shown[-1] / shown[0] if shown[0] else 0.0
            print(f"{asked or 'all':<12}" + "".join(f"{one:>10}" for one in shown) + f"{ratio:>10.2f}")


def taken(rows: Iterable[Times], half: str, kind: str | None) -> list[int]:
    """Return the milliseconds of one kind of requests, of all kinds when None."""
    return [ms for row in rows for name, found in row.get(half, {}).items() if kind in (None, name) for ms in found]


def main() -> None:
    parser = argparse.ArgumentParser(description="Swaps under load.")
    parser.add_argument("--swaps", type=int, default=300)
    parser.add_argument("--broken", type=int, default=30)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--directory", type=Path, default=Path(".build/bench-swaps"))
    parser.add_argument("--remove", action="store_true", help="remove the stack and its data when all is done")
    options = parser.parse_args()
    directory = options.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "rounds.jsonl"
    aiinfra(directory, "up", "--timeout", "600")
    # A round of streams that was interrupted leaves its own.
    aiinfra(directory, "use-config", "mock", "--timeout", "600")
    make = {"swap": swap_round, "broken": broken_round, "kill": kill_round, "streams": stream_round}
    wanted = {"swap": options.swaps, "broken": options.broken, "kill": options.kills, "streams": options.streams}
    for kind in missing(path, wanted):
        made = make[kind](directory)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(made) + "\n")
        print({name: value for name, value in made.items() if name != "milliseconds"}, flush=True)
    show(rounds_of(path))
    print(f"\nthe edge adds {edge_adds():.2f} ms (p50)")
    if options.remove:
        aiinfra(directory, "down", "--volumes", "--yes")


if __name__ == "__main__":
    main()
