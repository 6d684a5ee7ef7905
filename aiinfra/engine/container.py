"""A container, as the engine describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Container:
    """One container as the engine describes it. Times are UTC; `health` is "" without a health check."""

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

    @property
    def running(self) -> bool:
        return self.state == "running"


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
    started = state["StartedAt"]
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
        started=None if started.startswith("0001") else datetime.fromisoformat(started[:19] + "+00:00"),
        labels=labels,
        ports={int(inner.split("/")[0]): int(outer[0]["HostPort"]) for inner, outer in bindings.items() if outer},
        last_check=checks[-1]["Output"].strip() if checks else "",
    )
