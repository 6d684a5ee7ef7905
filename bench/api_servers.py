"""The processes that bench/api.py measures, each on a free port of this host."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "services" / "mpc-api"
PYTHON = str(API / ".venv" / "bin" / "python")
KEY = "sk-bench-0123456789"
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 60


@dataclass(frozen=True)
class Server:
    """A running process; `url` is where it answers."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """What its threads have used so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, field: str) -> float:
        """A line of /proc/PID/status, as VmRSS or VmHWM, in MB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition(f"{field}:")[2].split()[0]) / 1024


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def started(command: Sequence[str], port: int, *, cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A process that will listen on `port`; returns at once, see `listening`."""
    own = {"PATH": os.environ["PATH"], **(env or {})}
    process = subprocess.Popen(command, cwd=cwd, env=own, stdout=subprocess.DEVNULL)
    try:
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listening(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise
            time.sleep(0.01)
        else:
            return


def first_200(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(f"{server.url}/health/live", timeout=5):  # noqa: S310 - our own process
                return
        except (URLError, OSError):
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise
            time.sleep(0.005)


@contextmanager
def redis() -> Iterator[Server]:
    port = free_port()
    with started(["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"], port, cwd=ROOT) as one:
        listening(one)
        yield one


@contextmanager
def upstream() -> Iterator[Server]:
    port = free_port()
    with started([PYTHON, str(ROOT / "bench" / "upstream.py"), str(port)], port, cwd=ROOT) as one:
        listening(one)
        yield one


@contextmanager
def mpc_api(redis: Server, upstream: Server, **variables: str) -> Iterator[Server]:
    port = free_port()
    env = {
        "PORT": str(port),
        "MPC_SECRETS_DIR": "/nonexistent",
        "MPC_API_KEY": KEY,
        "LITELLM_MASTER_KEY": "sk-unused",
        "LITELLM_URL": upstream.url,
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
        **variables,
    }
    with started([PYTHON, "-m", "mpc_api"], port, cwd=API, env=env) as one:
        yield one


@contextmanager
def express(redis: Server) -> Iterator[Server]:
    """The Express server, its packages installed beside a copy of it that is not under version control."""
    folder = ROOT / ".build" / "express"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "server.js"):
        shutil.copy(ROOT / "bench" / "express" / name, folder)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
    port = free_port()
    env = {
        "NODE_ENV": "production",
        "PORT": str(port),
        "MPC_API_KEY": KEY,
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
    }
    with started(["node", "server.js"], port, cwd=folder, env=env) as one:
        listening(one)
        yield one


def send(url: str, body: object, *, method: str = "POST") -> dict[str, object]:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers, method=method)  # noqa: S310 - our own process
    with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - our own process
        found: dict[str, object] = json.load(answer)
        return found
