"""A stack whose secrets have every odd character, in a directory on a small disk of its own; and what is done to it."""

import contextlib
import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from aiinfra.quoting import written
from tests.e2e.conftest import Cli, docker, new_cli
from tests.e2e.test_swap import names, until

PATIENCE = ("--timeout", "600")

# Provider keys.
SECRETS = {
    "ODD_DOLLAR": "pa$word ${HOME} $$ `id` $(id)",
    "ODD_QUOTES": "x #c # 'once' \"twice\" \\n \\",
    "ODD_LINES": "first\nsecond\r\n\tthird = '\n",
    "ODD_EMOJI": " \U0001f512 schl\u00fcssel ",
}
# What travels in an HTTP header is ASCII without spaces.
KEYS = {
    "LITELLM_MASTER_KEY": "sk-$HOME#'\"`\\{}%25&=0123456789",
    "MPC_API_KEY": "$MPC#'\"`\\{}%25&=;,!?<>()9876543210",
    "REDIS_PASSWORD": "$r # '\"\\ \n\U0001f512 > ~* +@all 0123456789",
}
# Scripts take ten seconds.
_SLOW = {"model_name": "mpc-script", "litellm_params": {"model": "mock/slow"}}
_ODD = [
    {"model_name": name.lower(), "litellm_params": {"model": "mock/odd", "api_key": f"os.environ/{name}"}}
    for name in SECRETS
]
CONFIG = json.dumps({"extends": "mock", "model_list": [_SLOW, *_ODD]})

# Prints the digest of each variable of the gateway's process, whichever of the container's it is.
_DIGESTS = """
import hashlib, json, pathlib
for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
    try:
        found = dict(one.split(b"=", 1) for one in path.read_bytes().split(b"\\0") if b"=" in one)
    except OSError:
        continue
    if b"ODD_DOLLAR" in found:
        print(json.dumps({name.decode(): hashlib.sha256(value).hexdigest() for name, value in found.items()}))
        break
"""


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A file system of its own, which can be frozen and made read-only."""
    image, mounted = folder / "image", folder / "stack"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(32 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mounted)], check=True)
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)


@contextlib.contextmanager
def stack(command: Path, folder: Path) -> Iterator[Cli]:
    with disk(folder) as directory:
        one = new_cli(command, directory)
        (directory / f".env.{one.stack}").write_bytes(written({**KEYS, **SECRETS}, "dotenv").encode())
        (directory / "litellm").mkdir()
        (directory / "litellm" / "odd.yaml").write_text(CONFIG, encoding="utf-8")
        one.settings("provider_config: odd\n")
        try:
            done = one.run("up", *PATIENCE)
            assert done.returncode == 0, done.stdout + done.stderr
            yield one
        finally:
            one.remove()


def digests_in_the_gateway(cli: Cli) -> dict[str, str]:
    found: dict[str, str] = json.loads(docker("exec", "-i", cli.ids()["litellm"], "python", "-", text=_DIGESTS))
    return found


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(directory)], check=True)


@contextlib.contextmanager
def frozen(directory: Path) -> Iterator[None]:
    """A disk on which a write takes as long as this lasts."""
    subprocess.run(["fsfreeze", "--freeze", str(directory)], check=True)
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", str(directory)], check=True)


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"status": "healthy", "data": []}')

    do_POST = do_GET  # noqa: N815 - the base class's way

    def log_message(self, *_: object) -> None:
        return


@contextlib.contextmanager
def stranger(port: int) -> Iterator[None]:
    """Something else on a port, which says 200 to everything."""
    with HTTPServer(("127.0.0.1", port), _Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


@contextlib.contextmanager
def lookalike(name: str, like: str, *prefixes: str) -> Iterator[str]:
    """A container that was created and never started, with those labels of another whose names begin so."""
    one = json.loads(docker("inspect", like))[0]["Config"]
    kept = {key: value for key, value in one["Labels"].items() if key.startswith(prefixes)}
    labels = [f"--label={key}={value}" for key, value in kept.items()]
    docker("create", "--name", name, *labels, one["Image"])
    try:
        yield name
    finally:
        subprocess.run(["docker", "rm", "-f", name], capture_output=True, check=False)


def own(cli: Cli, name: str) -> Path:
    return cli.directory / ".aiinfra" / cli.stack / name


def answers(cli: Cli, subject: str = "Volcanoes") -> int:
    return cli.post("/generate/metadata", {"topic": subject}).status_code


def data(cli: Cli, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What a command found, whatever its exit code says of that."""
    return json.loads(cli.run(*arguments, "--json").stdout)["data"]


def planned(cli: Cli) -> dict[str, tuple[str, str]]:
    return {row["service"]: (row["action"], row["reason"]) for row in data(cli, "plan")["services"]}


def candidate_of(cli: Cli, before: list[str]) -> str:
    """The container that a swap makes beside those of before, once it runs."""
    until(lambda: len(names(cli)) > len(before))
    (one,) = set(names(cli)) - set(before)
    until(lambda: docker("inspect", "--format", "{{.State.Running}}", one).strip() == "true")
    return one


def leftovers(cli: Cli) -> str:
    rows = data(cli, "doctor")["findings"]
    return "\n".join(f"{row['text']} {row['fix']}" for row in rows if row["check"] in ("leftovers", "other stacks"))
