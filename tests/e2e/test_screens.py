"""What a user sees in a terminal, beside the screens that are kept as files. The stack of its own is healthy."""

import socket
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Cli
from tests.private_engine import until
from tests.screens import PATIENCE, Screens, screens, typed

__all__ = ["screens"]

CHANGED = "services: {mpc-api: {log_level: debug}}\n"

BROKEN = """\
model_list:
  - model_name: default
    litellm_params: {model: openai/gpt-4o-mini, api_kee: os.environ/OPENAI_API_KEY}
router_setings: {num_retries: 2}
"""


@pytest.fixture(name="changed")
def _changed(healthy: Cli) -> Iterator[Cli]:
    """The stack with a setting that is not applied yet."""
    healthy.settings(CHANGED)
    yield healthy
    (healthy.directory / "aiinfra.yaml").unlink()
    healthy.ok("up", "--timeout", "600")


def test_a_plan_of_a_change_an_up_that_makes_it_and_the_history_of_it(changed: Cli, screens: Screens) -> None:
    screens.ended("plan-change", changed, "plan", exit_code=10)
    screens.ended("up-change", changed, "up", "--timeout", "600")
    screens.ended("history", changed, "history")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("up-nothing-to-do", ["up"]),
        ("plan-nothing-to-do", ["plan"]),
        ("ps", ["ps"]),
        ("health", ["health"]),
        ("config-list", ["config", "list"]),
    ],
)
def test_what_stands_on_the_screen_when_a_command_has_ended(
    healthy: Cli, screens: Screens, name: str, arguments: list[str]
) -> None:
    healthy.ok("health", "--wait", "--timeout", "600")
    screens.ended(name, healthy, *arguments)


def test_a_watch_that_stands_still(healthy: Cli, screens: Screens) -> None:
    with typed(healthy, "health", "--watch") as one:
        one.wait_for("edge ")
        # On a busy machine a look may show a service that is late.
        until(lambda: " unhealthy" not in one.text(), "all are healthy", seconds=PATIENCE)
        screens.compare("health-watch", healthy, one.text())
        one.press("C-c")
        assert one.wait() == 0


def test_data_are_removed_only_after_a_yes(healthy: Cli, screens: Screens) -> None:
    before = healthy.ids()
    with typed(healthy, "down", "--volumes") as one:
        one.wait_for("[y/N]")
        one.press("n", "Enter")
        assert one.wait() == 1
        screens.compare("down-volumes-declined", healthy, one.text())
    assert healthy.ids() == before


def test_an_up_that_finds_its_port_taken(cli: Cli, screens: Screens) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        cli.settings(f"ports: {{litellm: {taken.getsockname()[1]}}}\n")
        screens.ended("up-port-taken", cli, "up", exit_code=1)


def test_an_up_with_a_provider_config_that_is_wrong(cli: Cli, screens: Screens) -> None:
    (cli.directory / "litellm").mkdir()
    (cli.directory / "litellm" / "mine.yaml").write_text(BROKEN)
    cli.settings("provider_config: mine\n")
    screens.ended("up-config-wrong", cli, "up", exit_code=3)
