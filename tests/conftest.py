"""What every test may use."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from aiinfra.stack import Identity
from tests.private_engine import private_engine

__all__ = ["private_engine"]

# Whoever started us in the background, or through nohup, had these ignored, and what we start would inherit that.
for ignored, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, usual)

REPOSITORY = Path(__file__).resolve().parent.parent

STRONG_KEYS: Mapping[str, str] = {
    "LITELLM_MASTER_KEY": "sk-0123456789abcdefghijklmnopqrstuv",
    "MPC_API_KEY": "mpc-0123456789abcdefghijklmnopqrst",
    "REDIS_PASSWORD": "redis-0123456789abcdefghijklmnop",
}

FIXED_IDENTITY = Identity(
    instance="0123456789abcdef", digest_key=bytes(32), ports={"litellm": 4000, "mpc-api": 3000}, address="127.0.0.1"
)


# What a developer set for themselves must not steer the tests.
OWN_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AIINFRA_")}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected files of the golden tests")


def write_keys(directory: Path, **more: str) -> None:
    values = {**STRONG_KEYS, **more}
    path = directory / ".env"
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")
    path.chmod(0o600)
