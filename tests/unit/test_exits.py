"""How a container ended, from what the engine remembers."""

from typing import Any

from aiinfra.engine import Exit
from aiinfra.engine.exits import exit_in


def event(action: str, exit_code: int = 0) -> dict[str, Any]:
    return {"Action": action, "Actor": {"Attributes": {"exitCode": str(exit_code)}}}


START, OOM = event("start"), event("oom")


def test_the_last_end_counts() -> None:
    assert exit_in([START, event("die", 1), START, event("die", 3)]) == Exit(3, out_of_memory=False)


def test_a_container_that_never_ended_has_no_end() -> None:
    assert exit_in([START, OOM]) is None


def test_lack_of_memory_belongs_to_the_run_that_it_ended_whichever_was_told_first() -> None:
    for killed in ([OOM, event("die", 137)], [event("die", 137), OOM]):
        assert exit_in([START, *killed]) == Exit(137, out_of_memory=True)
        assert exit_in([START, *killed, START, event("die", 1)]) == Exit(1, out_of_memory=False)
