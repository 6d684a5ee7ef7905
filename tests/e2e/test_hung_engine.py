"""An engine that stops answering in the middle of a change."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli
from tests.e2e.freezer import Freezer


@pytest.fixture(name="freezer")
def _freezer(tmp_path: Path) -> Iterator[Freezer]:
    one = Freezer(tmp_path / "engine.sock", b"/containers/create")
    yield one
    one.close()


def test_an_engine_that_hangs_during_a_change_is_noticed_and_the_next_up_finishes_the_job(
    cli: Cli, freezer: Freezer, tmp_path: Path
) -> None:
    error = cli.fails("up", exit_code=4, DOCKER_HOST=f"unix://{tmp_path}/engine.sock")
    assert freezer.frozen.is_set()
    assert error["code"] == "DOCKER_STOPPED"
    assert cli.run("down").returncode == 0
