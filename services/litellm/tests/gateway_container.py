"""Starts the gateway's image as a stack does: locked down, its configuration and secrets mounted, always removed."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CONTEXT = Path(__file__).resolve().parent.parent
BOOT_SECONDS = 90
MODELS = ("default", "mock/rate-limit", "mock/timeout", "mock/server-error", "mock/garbage", "mock/slow-2")
CONFIG = {
    "model_list": [
        {"model_name": name, "litellm_params": {"model": f"mock/{name.removeprefix('mock/')}"}} for name in MODELS
    ],
    "litellm_settings": {"custom_provider_map": [{"provider": "mock", "custom_handler": "mock_provider.handler"}]},
    "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
}
LOCKED_DOWN = (
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=768m",
)


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, check=False, encoding="utf-8")
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


@contextmanager
def built_image() -> Iterator[str]:
    """The image named by the environment, or one built from this folder's parent and removed again."""
    given = os.environ.get("AIINFRA_LITELLM_IMAGE")
    if given:
        yield given
        return
    tag = f"aiinfra-litellm-test:{uuid.uuid4().hex[:12]}"
    docker("build", "--quiet", "--tag", tag, str(CONTEXT))
    try:
        yield tag
    finally:
        docker("image", "rm", tag)


def mounted(folder: Path, config: Mapping[str, object], master_key: str, uid: int) -> tuple[str, ...]:
    """Options that mount the configuration and the secret, the latter readable by `uid` alone where we can say so."""
    for name in ("config", "secrets"):
        (folder / name).mkdir(parents=True)
    (folder / "config/config.yaml").write_text(json.dumps(config))
    secret = folder / "secrets/LITELLM_MASTER_KEY"
    secret.write_text(master_key)
    secret.chmod(0o444)
    if os.getuid() == 0:
        os.chown(secret, uid, uid)
        secret.chmod(0o400)
    return f"--volume={folder}/config:/etc/litellm:ro", f"--volume={folder}/secrets:/run/secrets:ro"


@contextmanager
def running(image: str, *options: str) -> Iterator[str]:
    name = f"aiinfra-litellm-test-{uuid.uuid4().hex[:12]}"
    docker("run", "--detach", f"--name={name}", *LOCKED_DOWN, *options, image)
    try:
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


def wait_until(ready: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while not ready():
        logs = subprocess.run(["docker", "logs", name], capture_output=True, check=False)
        assert time.monotonic() < deadline, logs.stdout + logs.stderr
        assert docker("inspect", "--format={{.State.Running}}", name) == "true", logs.stdout + logs.stderr
        time.sleep(0.2)
