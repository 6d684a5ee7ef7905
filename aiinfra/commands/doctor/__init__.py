"""`doctor`: every cause that we can name, each with the exact fix. To add a check, add a function to CHECKS."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiinfra.commands.doctor import engine_checks, network_checks, stack_checks
from aiinfra.commands.doctor.finding import Finding, NothingToLookAtError, Scene
from aiinfra.errors import AiinfraError

Check = Callable[[Scene], Iterable[Finding]]

# In the order that they are shown. A check may raise AiinfraError, which is then a finding of level error.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("engine", engine_checks.engine),
    ("engine disk", engine_checks.engine_disk),
    ("memory", engine_checks.memory),
    ("clock", engine_checks.clock),
    ("kernel", engine_checks.kernel),
    ("settings", stack_checks.settings),
    ("stack disk", engine_checks.stack_disk),
    ("keys", stack_checks.keys_file),
    ("provider config", stack_checks.provider),
    ("certificate", stack_checks.certificate),
    ("ports", stack_checks.host_ports),
    ("other stacks", stack_checks.in_the_way),
    ("leftovers", stack_checks.left_behind),
    ("names", network_checks.names),
    ("registries", network_checks.registries),
)


__all__ = ["CHECKS", "DoctorResult", "Finding", "Scene", "doctor"]


@dataclass(frozen=True)
class DoctorResult:
    """`sound` is false when a finding of level error is among them."""

    sound: bool
    findings: tuple[Finding, ...]


def doctor(scene: Scene) -> DoctorResult:
    """Look at everything at once. Works without settings, without a stack, and without an engine."""
    scene.prepare()
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        results = list(pool.map(lambda one: _looked(one, scene), CHECKS))
    findings = tuple(finding for result in results for finding in result)
    return DoctorResult(all(one.level != "error" for one in findings), findings)


def _looked(named: tuple[str, Check], scene: Scene) -> list[Finding]:
    name, check = named
    found: list[Finding] = []
    try:
        found.extend(check(scene))
    except NothingToLookAtError:
        pass
    except AiinfraError as error:
        found.append(Finding(name, "error", error.message, error.hint))
    except OSError as error:
        found.append(Finding(name, "warning", f"it could not be looked at: {error}", "repair that, and look again"))
    return found
