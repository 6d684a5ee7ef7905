"""The real service: a process with its own port, and a client for it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).parent.parent
API_KEY = "sk-test-caller"
GATEWAY_KEY = "sk-test-gateway"


class Service:
    """A started process; `logs` are its lines so far, parsed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.logs: list[dict[str, Any]] = []
        self.raw_logs = ""
        self.started = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        if not self.started.wait(60) or process.poll() is not None:
            raise AssertionError(f"the service did not start: {self.raw_logs}")
        self.url = f"http://127.0.0.1:{self.events('started')[0]['port']}"
        self.client = httpx2.Client(base_url=self.url, timeout=60, trust_env=False)

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.raw_logs += line
            self.logs.append(json.loads(line) if line.startswith("{") else as_text(line))
            if self.logs[-1]["event"] == "started":
                self.started.set()
        self.started.set()

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.logs if line["event"] == name]

    def logged(self, request_id: str) -> dict[str, Any]:
        """The line of the request with this id; it is written after the answer, so it may take a moment."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = [line for line in self.events("request") if line["requestId"] == request_id]
            if found:
                return found[-1]
            time.sleep(0.005)
        raise AssertionError(f"no line of {request_id}: {self.raw_logs[-2000:]}")

    def post(
        self,
        path: str,
        body: object = None,
        *,
        content: bytes | Iterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """POST with the key and, unless `headers` say otherwise, as JSON: `body`, or `content` as it is."""
        sent = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"} | (headers or {})
        text = None if body is None else json.dumps(body).encode()
        raw = [(name.encode(), value.encode()) for name, value in sent.items()]
        return self.client.post(path, content=content if text is None else text, headers=raw)

    def stop(self) -> int:
        """SIGTERM, then wait; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(60)
        self._reader.join(60)
        return code


def as_text(line: str) -> dict[str, Any]:
    """The parts of a line in the form for people."""
    _, _, event, *fields = line.split()
    return {"event": event} | dict(field.split("=", 1) for field in fields if "=" in field)


def environment(**variables: str) -> dict[str, str]:
    """Only what a container would have; none of the caller's proxies or keys."""
    base = {"PATH": os.environ["PATH"], "PORT": "0", "MPC_SECRETS_DIR": "/nonexistent"}
    return base | {"MPC_API_KEY": API_KEY, "LITELLM_MASTER_KEY": GATEWAY_KEY} | variables


@contextmanager
def running(**variables: str) -> Iterator[Service]:
    """The service with these environment variables, on a free port, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mpc_api"],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    service = None
    try:
        service = Service(process)
        yield service
    finally:
        process.kill()
        process.wait()
        if service is not None:
            service.client.close()
            service.wait()
        if process.stdout:
            process.stdout.close()
