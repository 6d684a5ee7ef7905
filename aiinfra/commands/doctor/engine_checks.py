"""The engine: is it there, new enough, roomy enough, on time."""

import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from aiinfra.commands.doctor.finding import Finding, Scene
from aiinfra.engine import refuse_old
from aiinfra.errors import AiinfraError
from aiinfra.stack import SERVICES

_MB = 1_000_000
_ENGINE_DISK = {"error": 1000 * _MB, "warning": 5000 * _MB}
_STACK_DISK = {"error": 5 * _MB, "warning": 100 * _MB}
# Since 28.0 a port published on 127.0.0.1 cannot be reached from the neighbourhood (moby/moby#45610).
_GUARDS_LOOPBACK = 28
_OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")
_CLOCK = 5.0
_UNITS = {"m": 1024**2, "g": 1024**3}


def engine(scene: Scene) -> Iterator[Finding]:
    """Docker, Compose and buildx: there, allowed, and new enough."""
    if fault := scene.engine_fault:
        yield Finding("engine", "error", fault.message, fault.hint)
        return
    found = scene.versions
    try:
        refuse_old(found)
    except AiinfraError as error:
        yield Finding("engine", "error", error.message, error.hint)
        return
    yield Finding("engine", "ok", f"engine {found.engine}, Compose {found.compose}, buildx {found.buildx.split()[1]}")
    if int(found.engine.split(".")[0]) < _GUARDS_LOOPBACK:
        text = f"engine {found.engine} lets neighbours in the local network reach ports published on 127.0.0.1"
        yield Finding("engine", "warning", text, "update Docker to 28 or newer, or keep neighbours out with a firewall")


def engine_disk(scene: Scene) -> Iterator[Finding]:
    """Room for images, containers and volumes."""
    root = scene.info.get("DockerRootDir", "")
    if scene.local:
        fix = "free some: `aiinfra prune`, then see `docker system df`"
        yield _disk("engine disk", Path(root), _ENGINE_DISK, fix)


def stack_disk(scene: Scene) -> Iterator[Finding]:
    """Room for what we write in the stack directory."""
    yield _disk("stack disk", scene.directory, _STACK_DISK, "free some space there, or use another directory: -C DIR")


def _disk(check: str, path: Path, limits: dict[str, int], fix: str) -> Finding:
    try:
        free = shutil.disk_usage(path).free
    except OSError as error:
        return Finding(check, "warning", f"{path}: {error.strerror}", "make it readable for you")
    text = f"{free // _MB} MB free in {path}"
    if free < limits["error"]:
        return Finding(check, "error", text, fix)
    return Finding(check, "warning", text, fix) if free < limits["warning"] else Finding(check, "ok", text)


def memory(scene: Scene) -> Iterator[Finding]:
    """All services at their limits, against what the engine has."""
    services = scene.target.settings.services
    limits = [getattr(services, name.replace("-", "_")) for name in SERVICES]
    needed = sum(
        int(one.memory[:-1]) * _UNITS[one.memory[-1]] * (getattr(one, "replicas", None) or 1) for one in limits
    )
    has = int(scene.info.get("MemTotal", 0))
    text = f"the services may use {needed // 1024**2} MB, the engine has {has // 1024**2} MB"
    if has and needed > has:
        fix = "lower services.*.memory in aiinfra.yaml, or give Docker more"
        yield Finding("memory", "warning", text, fix)
    else:
        yield Finding("memory", "ok", text)


def clock(scene: Scene) -> Iterator[Finding]:
    """The engine's clock against ours: limits, caches and logs go by it."""
    said = scene.info.get("SystemTime", "")
    try:
        # Nanoseconds are more than Python reads.
        engine_time = datetime.fromisoformat(re.sub(r"\.\d+", "", said))
    except ValueError:
        return
    off = engine_time.timestamp() - time.time()
    if abs(off) > _CLOCK + 1:
        text = f"the engine's clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} this machine's"
        yield Finding("clock", "warning", text, "set both by NTP; Docker Desktop: restart it")
    else:
        yield Finding("clock", "ok", "the engine's clock and this machine's agree")


def kernel(scene: Scene) -> Iterator[Finding]:
    """What Redis says about the kernel at every start."""
    if scene.local and _OVERCOMMIT.exists() and _OVERCOMMIT.read_text(encoding="ascii").strip() == "0":
        text = "vm.overcommit_memory is 0: on a machine short of memory Redis may fail to save"
        yield Finding("kernel", "note", text, "`sudo sysctl vm.overcommit_memory=1`")
