"""What MPC-API has to reach, measured: `make bench-api`, or `python -m bench.api [NAME...]`.

cached    POST /generate/script from the cache, one process, in turns with an Express server that does the same
uncached  what the service adds to a call of the gateway: the same upstream, one request at a time, by turns
start     from process start to the first 200, and memory
mixed     ten thousand requests of every sort, two hundred at a time
limited   the cached path with a rate limit on the key
"""

import asyncio
import http.client
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

from bench import api_servers as servers
from bench.api_mixed import AT_ONCE, TOTAL, mixed
from bench.api_servers import KEY, Server

ROUNDS = 7
SECONDS = 2
CONNECTIONS = 32
UNCACHED = 300
STARTS = 5
BODY = {"topic": "Cold brew", "duration": 60}


def main() -> None:
    measures: dict[str, Callable[[], None]] = {
        "cached": cached,
        "limited": limited,
        "uncached": uncached,
        "start": start,
        "mixed": mixed_load,
    }
    for name in sys.argv[1:] or measures:
        print(f"\n## {name}", flush=True)
        measures[name]()


def cached() -> None:
    with (
        servers.redis() as redis,
        servers.upstream() as upstream,
        servers.express(redis) as express,
        servers.mpc_api(redis, upstream) as api,
    ):
        _fill(api)
        data = servers.send(f"{api.url}/generate/script", BODY)["data"]
        servers.send(f"{express.url}/keep", {"wanted": BODY, "data": data}, method="PUT")
        _in_turns({"MPC-API": api, "Express": express})


def limited() -> None:
    with (
        servers.redis() as redis,
        servers.upstream() as upstream,
        servers.mpc_api(redis, upstream) as free,
        servers.mpc_api(redis, upstream, MPC_REQUESTS_PER_MINUTE="100000000") as counted,
    ):
        for api in (free, counted):
            _fill(api)
        _in_turns({"without limit": free, "with a limit": counted})


def _fill(api: Server) -> None:
    servers.first_200(api)
    while not _is_cached(api):
        time.sleep(0.1)


def _is_cached(api: Server) -> bool:
    data = servers.send(f"{api.url}/generate/script", BODY)["data"]
    assert isinstance(data, dict)  # noqa: S101
    return bool(data["usage"]["cached"])


def _in_turns(measured: dict[str, Server]) -> None:
    """Load each for `SECONDS` in turns, so that a busy moment of the machine hits all of them; medians and ranges."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in measured}
    for turn in range(ROUNDS + 1):
        for name in sorted(measured, reverse=bool(turn % 2)):
            one = _load(measured[name])
            if turn:  # the first one warms up
                found[name].append(one)
    print("| | requests/s | p99, ms | CPU a request, us |\n| --- | --: | --: | --: |")
    for name, rounds in found.items():
        rate, p99, cpu = zip(*rounds, strict=True)
        print(f"| {name} | {_middle(rate, '0')} | {_middle(p99, '1')} | {_middle(cpu, '0')} |")


def _middle(values: Sequence[float], digits: str) -> str:
    form = f",.{digits}f"
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


_SCRIPT = """
wrk.method = "POST"
wrk.body = '{body}'
wrk.headers["Authorization"] = "Bearer {key}"
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(99), bad))
end
"""


def _load(server: Server) -> tuple[float, float, float]:
    """Requests a second, the 99th percentile in ms, and CPU microseconds a request."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT.format(body=json.dumps(BODY), key=KEY))
        script.flush()
        before = server.cpu_seconds()
        url = f"{server.url}/generate/script"
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", script.name, url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        used = server.cpu_seconds() - before
    result = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", output)
    assert result, output  # noqa: S101
    requests, duration, p99, bad = map(int, result.groups())
    assert bad == 0, output  # noqa: S101
    return requests / duration * 1e6, p99 / 1000, used / requests * 1e6


def uncached() -> None:
    with servers.redis() as redis, servers.upstream() as upstream, servers.mpc_api(redis, upstream) as api:
        _fill(api)
        chat = json.dumps({"model": "mpc-script", "messages": [{"role": "user", "content": "x" * 2000}]})
        alone = http.client.HTTPConnection("127.0.0.1", upstream.port)
        through = http.client.HTTPConnection("127.0.0.1", api.port)
        found: list[tuple[float, float]] = []
        for turn in range(ROUNDS + 1):
            times: list[tuple[float, float]] = []
            for number in range(UNCACHED):
                body = json.dumps(BODY | {"topic": f"uncached {turn} {number}"})
                times.append(
                    (
                        _timed(alone, "/v1/chat/completions", chat),
                        _timed(through, "/generate/script", body),
                    )
                )
            if turn:  # the first one warms up
                gateway, service = (statistics.median(column) * 1000 for column in zip(*times, strict=True))
                found.append((gateway, service - gateway))
    gateways, added = zip(*found, strict=True)
    print(f"gateway alone: p50 {_middle(gateways, '2')} ms\nadded: p50 {_middle(added, '2')} ms")


def _timed(connection: http.client.HTTPConnection, path: str, body: str) -> float:
    begun = time.perf_counter()
    connection.request("POST", path, body, {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, path  # noqa: S101, PLR2004
    return time.perf_counter() - begun


def start() -> None:
    seconds: list[float] = []
    with servers.redis() as redis, servers.upstream() as upstream:
        for _ in range(STARTS):
            begun = time.perf_counter()
            with servers.mpc_api(redis, upstream) as api:
                servers.first_200(api)
                seconds.append(time.perf_counter() - begun)
                _fill(api)
                resident = api.memory("VmRSS")
    print(f"first 200: median {statistics.median(seconds):.2f} s, best {min(seconds):.2f} s")
    print(f"memory after the first answers: {resident:.0f} MB")


def mixed_load() -> None:
    with servers.redis() as redis, servers.upstream() as upstream, servers.mpc_api(redis, upstream) as api:
        _fill(api)
        asyncio.run(mixed(api.port, TOTAL // 5))
        before = api.memory("VmRSS")
        begun = time.perf_counter()
        outcome = asyncio.run(mixed(api.port))
        elapsed = time.perf_counter() - begun
        after, peak = api.memory("VmRSS"), api.memory("VmHWM")
    print(f"{TOTAL} requests, {AT_ONCE} at once, in {elapsed:.1f} s; not as documented: {len(outcome.wrong)}")
    for line in outcome.wrong[:10]:
        print(f"  {line}")
    print(", ".join(f"{name}: {number}" for name, number in sorted(outcome.statuses.items())))
    print(f"memory: {before:.0f} MB before, {after:.0f} MB after, {peak:.0f} MB at most")


if __name__ == "__main__":
    main()
