"""How a container ended last, also when it was restarted since: the engine's events know."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aiinfra.engine.command import look
from aiinfra.engine.container import Container, Exit


def last_exit(container: Container) -> Exit:
    """Return how a container ended last; from its own state where the engine remembers no end."""
    # Until now by the engine's clock, and in the order of events: clocks differ, and may have been set meanwhile.
    now = look("info", "--format", "{{.SystemTime}}").strip()
    wanted = (f"--filter=container={container.id}", *(f"--filter=event={name}" for name in ("start", "oom", "die")))
    text = look("events", "--since", "0", "--until", now, *wanted, "--format", "{{json .}}")
    end = exit_in(json.loads(line) for line in text.splitlines())
    if end is None:
        return Exit(container.exit_code, container.out_of_memory)
    return Exit(end.code, end.out_of_memory or container.out_of_memory)


def exit_in(events: Iterable[Mapping[str, Any]]) -> Exit | None:
    """Return the last end among the events of one container; None when there is none."""
    end: Exit | None = None
    out_of_memory = ended = False
    for one in events:
        if one["Action"] == "start":
            out_of_memory = ended = False
        elif one["Action"] == "oom":
            out_of_memory = True
            # It may be told after the end that it caused.
            end = Exit(end.code, out_of_memory=True) if end and ended else end
        else:
            ended = True
            end = Exit(int(one["Actor"]["Attributes"]["exitCode"]), out_of_memory)
    return end
