"""A load on a running stack that counts strictly: what failed, what was cut, and what ran twice.

Every request has an id of its own, in its address and its topic, so that no cache answers it and the services' own logs
tell how often it ran.
"""

import json
import random
import re
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import httpx

KINDS = ("models", "chat", "large", "stream", "script", "live")
_WEIGHTS = (5, 4, 1, 3, 2, 5)
_LARGE = 200_000
_ID = re.compile(r"load-[0-9a-f]{32}")


@dataclass(frozen=True)
class Answer:
    """One request: when it began (seconds, monotonic), how long it took, and what was wrong ("" when nothing)."""

    id: str
    kind: str
    began: float
    seconds: float
    fault: str = ""


@dataclass
class Load:
    """`clients` threads that pause `pause` seconds on average between requests, none of which is ever repeated.

    `patience` is how many seconds a client waits for an answer.
    """

    stack: str
    gateway: str
    api: str
    gateway_key: str
    api_key: str
    clients: int = 16
    pause: float = 1.0
    patience: float = 300.0
    answers: list[Answer] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _logs: "Ledger | None" = None

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Run the load; when it ends, every request has been answered."""
        self._ended.clear()
        self._logs = Ledger(self.stack)
        threads = [threading.Thread(target=self._ask_on, args=(number,)) for number in range(self.clients)]
        self._logs.start()
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()
            self._logs.stop()

    @property
    def faults(self) -> list[Answer]:
        return [one for one in self.answers if one.fault]

    @property
    def twice(self) -> list[str]:
        """The ids of requests that the services' logs show more than once."""
        return self._logs.twice() if self._logs else []

    @property
    def seen(self) -> int:
        """How many of our requests the services' logs show."""
        return len(self._logs.counted) if self._logs else 0

    def wait_for(self, count: int) -> None:
        """Wait until so many more requests were answered."""
        wanted = len(self.answers) + count
        while len(self.answers) < wanted:
            time.sleep(0.05)

    def stream(self, model: str) -> Answer:
        """Stream one answer of a model, to its end."""
        with self._client() as client:
            return _timed("stream", lambda name: self._stream(client, name, model))

    def _client(self) -> httpx.Client:
        return httpx.Client(timeout=self.patience, transport=httpx.HTTPTransport(retries=0), trust_env=False)

    def _ask_on(self, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - no secret
        with self._client() as client:
            while not self._ended.wait(chance.uniform(0, 2 * self.pause)):
                kind = chance.choices(KINDS, _WEIGHTS)[0]
                self.answers.append(_timed(kind, partial(self._kinds[kind], client)))

    @property
    def _kinds(self) -> dict[str, Callable[[httpx.Client, str], str]]:
        return {
            "models": lambda client, name: _status(
                client.get(f"{self.gateway}/v1/models?id={name}", headers=self._gateway_headers)
            ),
            "chat": lambda client, name: self._chat(client, name, ""),
            "large": lambda client, name: self._chat(client, name, "lorem ipsum " * (_LARGE // 12)),
            "stream": self._stream,
            "script": lambda client, name: _status(
                client.post(
                    f"{self.api}/generate/script",
                    json={"topic": name, "duration": 15},
                    headers={"Authorization": f"Bearer {self.api_key}", "X-Request-ID": name},
                )
            ),
            "live": lambda client, name: _status(client.get(f"{self.api}/health/live", headers={"X-Request-ID": name})),
        }

    @property
    def _gateway_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.gateway_key}"}

    def _body(self, name: str, more: str, *, stream: bool, model: str = "default") -> dict[str, object]:
        messages = [{"role": "user", "content": f"{name} {more}"}]
        return {"model": model, "stream": stream, "max_tokens": 60, "messages": messages}

    def _chat(self, client: httpx.Client, name: str, more: str) -> str:
        url = f"{self.gateway}/v1/chat/completions?id={name}"
        return _status(client.post(url, json=self._body(name, more, stream=False), headers=self._gateway_headers))

    def _stream(self, client: httpx.Client, name: str, model: str = "default") -> str:
        url, body = f"{self.gateway}/v1/chat/completions?id={name}", self._body(name, "", stream=True, model=model)
        with client.stream("POST", url, json=body, headers=self._gateway_headers) as response:
            if response.status_code != httpx.codes.OK:
                return f"HTTP {response.status_code}"
            lines = [line for line in response.iter_lines() if line]
        return "" if lines[-1:] == ["data: [DONE]"] else "cut: the stream has no end"


class Ledger:
    """Reads the logs of a stack's containers as they come, also of those that are replaced meanwhile."""

    def __init__(self, stack: str) -> None:
        self.counted: Counter[str] = Counter()
        self._stack = stack
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._followers: dict[str, tuple[subprocess.Popen[str], threading.Thread]] = {}
        self._watcher = threading.Thread(target=self._watch)

    def start(self) -> None:
        self._watcher.start()

    def stop(self) -> None:
        """Read on until nothing more comes."""
        before = -1
        while before != self.counted.total():
            before = self.counted.total()
            time.sleep(1.5)
        self._ended.set()
        self._watcher.join()
        for process, thread in self._followers.values():
            process.terminate()
            thread.join()
            process.wait()

    def twice(self) -> list[str]:
        return [name for name, count in self.counted.items() if count > 1]

    def _watch(self) -> None:
        label = f"label=org.aiinfra.stack={self._stack}"
        while not self._ended.is_set():
            done = subprocess.run(
                ["docker", "ps", "-q", "--filter", label], capture_output=True, text=True, check=False
            )
            for container in set(done.stdout.split()) - set(self._followers):
                self._follow(container)
            self._ended.wait(0.3)

    def _follow(self, container: str) -> None:
        process = subprocess.Popen(
            ["docker", "logs", "--follow", "--since", "1s", container],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        thread = threading.Thread(target=self._read, args=(process,))
        thread.start()
        self._followers[container] = (process, thread)

    def _read(self, process: "subprocess.Popen[str]") -> None:
        with process:
            for line in process.stdout or ():
                if found := _ID.search(line):
                    with self._lock:
                        self.counted[found[0]] += 1


def _timed(kind: str, ask: Callable[[str], str]) -> Answer:
    name, began = f"load-{uuid.uuid4().hex}", time.monotonic()
    try:
        fault = ask(name)
    except httpx.HTTPError as error:
        fault = f"{type(error).__name__}: {error}"
    return Answer(name, kind, began, time.monotonic() - began, fault)


def _status(response: httpx.Response) -> str:
    return "" if response.is_success else f"HTTP {response.status_code}: {_excerpt(response)}"


def _excerpt(response: httpx.Response) -> str:
    try:
        return json.dumps(response.json())[:200]
    except ValueError:
        return response.text[:200]
