"""A container, as the engine describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Container:
    """One container as the engine describes it. Times are UTC; `health` is "" without a health check.

    `mounts` are paths on the host; `networks` are ids by name, "" before the first start; `number` tells the replicas
    of a service apart.
    """

    id: str
    name: str
    service: str
    image: str
    state: str
    health: str
    exit_code: int
    out_of_memory: bool
    restarts: int
    started: datetime | None
    labels: Mapping[str, str]
    ports: Mapping[int, int]
    last_check: str
    # Failed checks in a row, and what the last one that failed said ("" when none of the last five did).
    failing_streak: int = 0
    last_failure: str = ""
    number: int = 1
    image_id: str = ""
    image_version: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    networks: Mapping[str, str] = field(default_factory=dict)
    finished: datetime | None = None

    @property
    def running(self) -> bool:
        return self.state == "running"


@dataclass(frozen=True)
class Stats:
    """What a container uses, in the engine's words: "1.25%" of one core, "52.3MiB / 256MiB"."""

    cpu: str
    memory: str
    memory_percent: float
    processes: int


@dataclass(frozen=True)
class Volume:
    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Exit:
    code: int
    out_of_memory: bool


def container(item: Mapping[str, Any]) -> Container:
    """Read one object of `docker inspect`."""
    state, labels = item["State"], item["Config"]["Labels"] or {}
    health = state.get("Health") or {}
    checks = health.get("Log") or []
    bindings = item["NetworkSettings"].get("Ports") or item["HostConfig"].get("PortBindings") or {}
    networks = item["NetworkSettings"].get("Networks") or {}
    return Container(
        id=item["Id"],
        name=item["Name"].lstrip("/"),
        service=labels.get("com.docker.compose.service", ""),
        image=item["Config"]["Image"],
        state=state["Status"],
        health=health.get("Status", ""),
        exit_code=state["ExitCode"],
        out_of_memory=state["OOMKilled"],
        restarts=item["RestartCount"],
        started=_moment(state["StartedAt"]),
        finished=_moment(state["FinishedAt"]),
        labels=labels,
        ports={int(inner.split("/")[0]): int(outer[0]["HostPort"]) for inner, outer in bindings.items() if outer},
        last_check=checks[-1]["Output"].strip() if checks else "",
        failing_streak=health.get("FailingStreak", 0),
        last_failure=next((one["Output"].strip() for one in reversed(checks) if one["ExitCode"] != 0), ""),
        number=int(labels.get("com.docker.compose.container-number", "1")),
        image_id=item["Image"],
        image_version=_image_version(item["Config"], labels),
        addresses={name: one["IPAddress"] for name, one in networks.items() if one.get("IPAddress")},
        networks={name: one.get("NetworkID", "") for name, one in networks.items()},
        mounts=tuple(one["Source"] for one in item.get("Mounts") or () if one.get("Source")),
    )


def _moment(text: str) -> datetime | None:
    return None if text.startswith("0001") else datetime.fromisoformat(text[:19] + "+00:00")


def _image_version(config: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """What the image says of itself; else its tag, unless that is one of ours, which says nothing to a reader."""
    if label := labels.get("org.opencontainers.image.version"):
        return label
    variables = dict(line.partition("=")[::2] for line in config.get("Env") or ())
    name, _, tag = config["Image"].rpartition(":")
    said = (variables.get(f"{one}_VERSION") for one in ("REDIS", "HAPROXY"))
    return next(filter(None, said), "" if "/" in tag or name.startswith("aiinfra-") or not name else tag)
