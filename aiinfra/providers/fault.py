"""What is wrong with a provider config, where, and what to do about it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from aiinfra.errors import AiinfraError, Code
from aiinfra.providers.place import Path, Place, Table, dotted, place_of

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Fault:
    """`path` is the key at fault, an error refuses the config, `variable` the one of .env to mend."""

    file: str
    line: int
    path: str
    problem: str
    fix: str
    severity: Severity = "error"
    variable: str = ""

    def __str__(self) -> str:
        path = f"{self.path}: " if self.path else ""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {path}{self.problem}; {self.fix}"


def fault(data: Table, path: Path, problem: str, fix: str, *, severity: Severity = "error") -> Fault:
    """Return a fault of what stands at `path`."""
    place = place_of(data, path)
    return Fault(place.file, place.line, dotted(path), problem, fix, severity)


def at(place: Place, problem: str, fix: str) -> Fault:
    return Fault(place.file, place.line, "", problem, fix)


def refuse(name: str, found: Sequence[Fault]) -> None:
    """Raise AiinfraError with all errors among `found`; KEYS_INVALID when .env alone is to be edited."""
    errors = [one for one in found if one.severity == "error"]
    if not errors:
        return
    keys_only = all(one.variable for one in errors)
    fix = "set what is named above, or use the keyless config 'mock'" if keys_only else "edit what is named above"
    raise AiinfraError(
        Code.KEYS_INVALID if keys_only else Code.PROVIDER_CONFIG_INVALID,
        f"the provider config '{name}' cannot be used:\n" + "\n".join(map(str, errors)),
        hint=f"{fix}; nothing was touched",
        details={
            "provider_config": name,
            "missing": [one.variable for one in errors if one.variable],
            "faults": [asdict(one) for one in errors],
        },
    )
