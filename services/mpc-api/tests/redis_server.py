"""A real Redis: a process with its own port, that a test can stop, freeze and start again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PASSWORD = "redis-p@ss'word"


def _program() -> str:
    found = shutil.which("redis-server")
    assert found, "redis-server is missing: `make service-tests` installs it"
    return found


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def variables(self) -> dict[str, str]:
        """What the service is told about it; patient, because how fast a machine is decides no test."""
        url = f"redis://127.0.0.1:{self.port}/0"
        return {"REDIS_URL": url, "REDIS_PASSWORD": PASSWORD, "MPC_REDIS_TIMEOUT": "5"}

    def start(self) -> None:
        configuration = f'port {self.port}\nbind 127.0.0.1\nsave ""\ndir {self._folder}\nrequirepass "{PASSWORD}"\n'
        self._process = subprocess.Popen([_program(), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert self._process.stdin
        self._process.stdin.write(configuration.encode())
        self._process.stdin.close()
        deadline = time.monotonic() + 30
        while self.ask("PING") != "+PONG":
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """It takes connections and answers nothing."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        os.kill(self._process.pid, signal.SIGCONT)

    def ask(self, *words: str) -> str:
        """The first line of the answer to one command, "" when there is none."""
        return (self.lines(*words) or [""])[0]

    def lines(self, *words: str) -> list[str]:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(_encoded("AUTH", PASSWORD) + _encoded(*words) + _encoded("QUIT"))
                answer = connection.makefile("rb").read().decode("utf-8", "replace")
        except OSError:
            return []
        return answer.split("\r\n")[1:-2]

    def names(self) -> list[str]:
        return sorted(line for line in self.lines("KEYS", "*") if line[:1] not in "*$")

    def wipe(self) -> None:
        assert self.ask("FLUSHALL") == "+OK"


def _encoded(*words: str) -> bytes:
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
