"""How a verb that changed the stack shows what it did, service by service."""

from typing import TYPE_CHECKING

from aiinfra.cli.invocation import Invocation

if TYPE_CHECKING:
    from aiinfra.commands.apply import Applied

_WHAT = {
    "unchanged": "unchanged",
    "create": "created",
    "start": "started",
    "scale": "scaled",
    "reload": "reloaded",
    "recreate": "recreated",
}


def end(run: Invocation, result: "Applied") -> None:
    """Show what was done, and end the verb."""
    show(run, result)
    run.done(result)


def show(run: Invocation, result: "Applied") -> None:
    """Show what was done to each service, and where it is reached; the JSON is the verb's own matter."""
    rows = [
        (
            one.service,
            _WHAT[one.action] + (f": {one.reason}" if one.reason and one.action != "create" else ""),
            "-" if one.seconds is None else f"{one.seconds:.1f} s",
            one.url or "",
        )
        for one in result.services
    ]
    run.console.table(("SERVICE", "WHAT", "HEALTHY AFTER", "URL"), rows)
    state = ("ready" if result.waited else "started, not waited for") if result.changed else "unchanged"
    run.console.say(
        f"{result.stack}: {state} after {result.seconds:.1f} s, provider config {result.provider_config}; "
        f"keys are in {run.target.keys_file}"
    )
