"""`logs`: what the services wrote."""

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import Target

# Compose's prefix: "litellm-1  | text".
_PREFIXED = re.compile(r"(?P<service>[a-z0-9-]+?)-(?P<number>\d+)\s+\| ?(?P<text>.*)", re.DOTALL)


@dataclass(frozen=True)
class LogLine:
    service: str
    text: str


def logs(
    target: Target, services: Sequence[str], *, engine: Engine, follow: bool, tail: str
) -> Generator[LogLine, None, None]:
    """Yield log lines, of all services when none is named. `tail` is a number of lines or "all"."""
    containers = engine.containers(target.name)
    target.refuse_elsewhere(containers)
    if not containers:
        raise AiinfraError(
            Code.NOT_RUNNING, f"the stack '{target.name}' has no containers", hint="start it: `aiinfra up`"
        )
    absent = [name for name in services if name not in {one.service for one in containers}]
    if absent:
        raise AiinfraError(Code.NOT_RUNNING, f"{absent[0]} has no container", hint="start it: `aiinfra up`")
    with closing(engine.logs(target.name, services, follow=follow, tail=tail)) as lines:
        for line in lines:
            if found := _PREFIXED.fullmatch(line):
                yield LogLine(found["service"], found["text"])
