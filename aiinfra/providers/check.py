"""Everything that can be said about a provider config without starting anything."""

import datetime as dt
from collections.abc import Mapping

from aiinfra.providers.checks import addresses, callbacks, deployments, general, keys, literals, routing, variables
from aiinfra.providers.config import ProviderConfig
from aiinfra.providers.fault import Fault, refuse


def faults(
    config: ProviderConfig, values: Mapping[str, str], file_name: str, *, today: dt.date | None = None
) -> tuple[Fault, ...]:
    """Return all faults and warnings, in the order of the file. `values` are the variables of `file_name`, the .env."""
    data = config.data
    day = today or dt.date.today()  # noqa: DTZ011 - the user's day
    found = (
        *config.faults,
        *keys.faults(data),
        *deployments.faults(data, values, day),
        *addresses.faults(data, values),
        *routing.faults(data, config.aliases),
        *literals.faults(data, values),
        *callbacks.faults(data, values),
        *general.faults(data),
        *variables.faults(data, values, file_name),
    )
    # One line of a template may have made many.
    first = {(one.file, one.line, one.problem, one.fix): one for one in reversed(found)}
    return tuple(sorted(first.values(), key=lambda one: (one.severity, one.file, one.line)))


def check(config: ProviderConfig, values: Mapping[str, str], file_name: str) -> tuple[Fault, ...]:
    """Return the warnings about a config. Raises AiinfraError (exit 3) with every error: requests would fail."""
    found = faults(config, values, file_name)
    refuse(config.name, found)
    return tuple(one for one in found if one.severity == "warning")
