"""Says what LiteLLM itself makes of a configuration; runs in the gateway's image, without network.

    python judge.py < config.yaml

LiteLLM's own loader is the judge. Prints one JSON line last: {"models": [[ALIAS, MODEL], ...]} with what it would
serve, or {"refused": REASON}; what LiteLLM says while it loads goes to stderr.

Environment: every variable that the configuration refers to, with any value.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socketserver
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = Path("/tmp/config.yaml")  # noqa: S108 - a container of its own
REDIS = ("127.0.0.1", 6379)


class _Redis(socketserver.StreamRequestHandler):
    """Enough of a Redis for LiteLLM to find one: without any it tries again for 16 seconds."""

    def handle(self) -> None:
        while words := _command(cast("IO[bytes]", self.rfile)):
            self.wfile.write({b"PING": b"+PONG\r\n", b"GET": b"$-1\r\n"}.get(words[0].upper(), b"+OK\r\n"))


def _command(stream: IO[bytes]) -> list[bytes]:
    head = stream.readline()
    if not head.startswith(b"*"):
        return []
    words = []
    for _ in range(int(head[1:])):
        length = int(stream.readline()[1:])
        words.append(stream.read(length + 2)[:-2])
    return words


@contextlib.contextmanager
def redis() -> Iterator[None]:
    with socketserver.ThreadingTCPServer(REDIS, _Redis) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def served() -> list[list[str]]:
    """What LiteLLM would serve: alias and model of each deployment that it did not drop."""
    from litellm.proxy.proxy_server import ProxyConfig  # noqa: PLC0415 - takes most of the time

    router, _, _ = asyncio.run(ProxyConfig().load_config(router=None, config_file_path=str(CONFIG)))
    if router is None:
        return []
    return [[one["model_name"], one["litellm_params"]["model"]] for one in router.model_list]


def main() -> int:
    CONFIG.write_text(sys.stdin.read(), encoding="utf-8")
    os.environ["CONFIG_FILE_PATH"] = str(CONFIG)
    with redis(), contextlib.redirect_stdout(sys.stderr):
        try:
            verdict: dict[str, object] = {"models": served()}
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever LiteLLM says is the verdict
            verdict = {"refused": f"{type(error).__name__}: {error}"}
    sys.__stdout__.write(json.dumps(verdict) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
    os._exit(0)  # LiteLLM's threads would keep us


if __name__ == "__main__":
    main()
