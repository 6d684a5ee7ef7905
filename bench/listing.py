"""All that there is of a stack on an engine, in its directory and among the processes of this machine."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import psutil


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


def listing(stack: str, directory: Path) -> frozenset[str]:
    """Return all that there is of a stack, without what differs from run to run: ids, numbers, hashes."""
    found: Counter[str] = Counter()
    images = set()
    for line in docker("ps", "-a", "--no-trunc", "--format", "{{.State}}\t{{.Image}}\t{{.Labels}}").splitlines():
        state, image, labels = line.split("\t")
        values = dict(one.split("=", 1) for one in labels.split(",") if "=" in one)
        if stack in (values.get("org.aiinfra.stack"), values.get("com.docker.compose.project")):
            found[f"container {values.get('com.docker.compose.service', 'scratch')} {state}"] += 1
            images.add(image)
    for kind in ("network", "volume"):
        found.update(f"{kind} {name}" for name in _labelled(kind, stack))
    tags = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    found.update(f"image {_plain(tag)}" for tag in tags if any(tag.startswith(f"{image}-") for image in images))
    found.update(f"process {' '.join(words[:4])}" for words in _docker_commands() if stack in words)
    root = directory / ".aiinfra" / stack
    files = {_plain(str(path.relative_to(directory))) for path in (*directory.glob("*"), *root.rglob("*"))}
    return frozenset((*(f"{number} x {what}" for what, number in found.items()), *(f"file {name}" for name in files)))


def _labelled(kind: str, stack: str) -> list[str]:
    return docker(kind, "ls", "--format", "{{.Name}}", "--filter", f"label=org.aiinfra.stack={stack}").split()


def _plain(name: str) -> str:
    return re.sub(r"[0-9a-f]{12,}", "HASH", re.sub(r"generations/\d+", "generations/N", name))


def _docker_commands() -> list[list[str]]:
    """Return the words of every `docker` that runs on this machine."""
    found = []
    for one in psutil.process_iter():
        try:
            words = one.cmdline()
        except psutil.Error:
            continue
        if words and Path(words[0]).name.startswith("docker"):
            found.append(words)
    return found
