"""Containers around a gateway, on a network of their own: upstreams, Redis, PostgreSQL, one gateway or several."""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from tests.conftest import REPOSITORY

PATIENCE = 400.0
# What a client waits for an answer at most: two timeouts of a provider and room for a slow machine.
DEADLINE = 60.0
IMAGE_UID = 65532
MASTER_KEY = "sk-0123456789abcdefghijklmnopqrstuv"
LOCKED_DOWN = ("--init", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def logs(name: str) -> str:
    done = subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def eventually(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until `what` is true, or holds its assertions; fails with its last word."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = what()
        except (AssertionError, httpx.TransportError) as error:
            if time.monotonic() > deadline:
                raise
            found = error
        if found and not isinstance(found, Exception):
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


@dataclass
class Upstream:
    """The providers of tests/upstreams, steered and asked from outside."""

    client: httpx.Client

    def script(self, name: str, behaviour: str, times: int | None = None) -> None:
        more = {} if times is None else {"times": times}
        self.client.put(f"/-/script/{name}", json={"behaviour": behaviour, **more}).raise_for_status()

    def received(self, name: str) -> list[dict[str, Any]]:
        requests: list[dict[str, Any]] = self.client.get(f"/-/received/{name}").json()
        return requests

    def reset(self) -> None:
        self.client.delete("/-/received").raise_for_status()


@dataclass
class Gateway:
    name: str
    client: httpx.Client

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")

    def chat(self, model: str, text: str = "hello", **more: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return self.client.post("/v1/chat/completions", json=body)

    def ready(self) -> bool:
        assert docker("inspect", "--format={{.State.Running}}", self.name) == "true", logs(self.name)
        return self.client.get("/health/readiness").is_success


@dataclass
class Stage:
    """A network and what runs on it; leaving it removes everything."""

    folder: Path
    image: str
    network: str = field(default_factory=lambda: f"gateway-test-{uuid.uuid4().hex[:10]}")
    containers: list[str] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    def __enter__(self) -> Self:
        docker("network", "create", self.network)
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        for name in self.containers:
            docker("rm", "--force", "--volumes", name)
        docker("network", "rm", self.network)

    def run(self, image: str, alias: str, *options: str, command: tuple[str, ...] = ()) -> str:
        name = f"{self.network}-{alias}-{len(self.containers)}"
        self.containers.append(name)
        network = (f"--network={self.network}", f"--network-alias={alias}")
        docker("run", "--detach", f"--name={name}", *network, *options, image, *command)
        return name

    def client(self, container: str, port: int, headers: Mapping[str, str]) -> httpx.Client:
        address = docker("port", container, f"{port}/tcp").splitlines()[0]
        client = httpx.Client(base_url=f"http://{address}", headers=headers, timeout=DEADLINE, trust_env=False)
        self.clients.append(client)
        return client

    def upstream(self) -> Upstream:
        """Start the providers; gateways reach them as http://upstream:9000/NAME."""
        mount = f"--volume={REPOSITORY}/tests/upstreams:/srv/tests/upstreams:ro"
        serve = ("-B", "-m", "uvicorn", "tests.upstreams.app:app", "--host=0.0.0.0", "--port=9000", "--no-access-log")
        options = (mount, "--workdir=/srv", "--env=PYTHONPATH=/srv", "--entrypoint=python", "--publish=127.0.0.1::9000")
        name = self.run(self.image, "upstream", *options, command=serve)
        upstream = Upstream(self.client(name, 9000, {}))
        eventually(lambda: upstream.received("nobody") == [])
        return upstream

    def redis(self, password: str = "") -> str:
        """Start a Redis; gateways reach it as `redis`."""
        secured = ("--requirepass", password) if password else ()
        return self.run(
            "redis:8.0", "redis", command=("redis-server", "--save", "", "--protected-mode", "no", *secured)
        )

    def start(self, config: Mapping[str, Any] | str, secrets: Mapping[str, str], *options: str) -> Gateway:
        """Start a gateway that need not be ready yet; `secrets` are its variables, as a stack hands them over."""
        folder = self.folder / f"gateway-{len(self.containers)}"
        for name in ("config", "secrets"):
            (folder / name).mkdir(parents=True)
        text = config if isinstance(config, str) else json.dumps(config)
        (folder / "config/config.yaml").write_text(text, encoding="utf-8")
        for variable, value in {"LITELLM_MASTER_KEY": MASTER_KEY, **secrets}.items():
            file = folder / "secrets" / variable
            file.write_text(value, encoding="utf-8")
            os.chown(file, IMAGE_UID, IMAGE_UID)
            file.chmod(0o400)
        mounts = (f"--volume={folder}/config:/etc/litellm:ro", f"--volume={folder}/secrets:/run/secrets:ro")
        container = self.run(
            self.image, f"gateway{len(self.containers)}", *LOCKED_DOWN, *mounts, "--publish=127.0.0.1::4000", *options
        )
        key = secrets.get("LITELLM_MASTER_KEY", MASTER_KEY)
        return Gateway(container, self.client(container, 4000, {"Authorization": f"Bearer {key}"}))

    def gateway(self, config: Mapping[str, Any] | str, secrets: Mapping[str, str] | None = None) -> Gateway:
        """Start a gateway and wait until it serves."""
        gateway = self.start(config, secrets or {})
        eventually(gateway.ready)
        return gateway


def deployment(alias: str, name: str, model: str = "openai/gpt-4o-mini", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A deployment of `alias` at the upstream `name`."""
    base = f"http://upstream:9000/{name}" + ("/v1" if model.startswith("openai/") else "")
    id_ = {"model_info": {"id": f"{alias}@{name}"}}
    return {"model_name": alias, "litellm_params": {"model": model, "api_key": "sk-x", "api_base": base, **more}, **id_}
