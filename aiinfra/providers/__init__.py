"""Provider configs: find one, render it, check it, list what it needs. Pure: reads files, changes nothing."""

from aiinfra.providers.check import check, faults
from aiinfra.providers.config import ProviderConfig, kept, load
from aiinfra.providers.difference import Difference, difference
from aiinfra.providers.fault import Fault
from aiinfra.providers.needs import PROVIDED
from aiinfra.providers.secrecy import redacted_text
from aiinfra.providers.source import FOLDER, Source, bundled, description, sources

# What MPC-API asks the gateway for.
ASKED_FOR = ("mpc-script", "mpc-thumbnail", "mpc-metadata")

__all__ = [
    "ASKED_FOR",
    "FOLDER",
    "PROVIDED",
    "Difference",
    "Fault",
    "ProviderConfig",
    "Source",
    "bundled",
    "check",
    "description",
    "difference",
    "faults",
    "kept",
    "load",
    "redacted_text",
    "sources",
]
