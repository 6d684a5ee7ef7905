"""Provider configs: find one, render it, check it, list what it needs. Pure: reads files, changes nothing."""

from aiinfra.providers.check import check, faults
from aiinfra.providers.config import ProviderConfig, load
from aiinfra.providers.needs import PROVIDED
from aiinfra.providers.source import Source, bundled, sources

# What MPC-API asks the gateway for.
ASKED_FOR = ("mpc-script", "mpc-thumbnail", "mpc-metadata")

__all__ = ["ASKED_FOR", "PROVIDED", "ProviderConfig", "Source", "bundled", "check", "faults", "load", "sources"]
