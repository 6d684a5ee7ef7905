"""One stage for the tests of a module."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiinfra.images import image_build
from aiinfra.settings import Build
from tests.gateway.stage import Stage, Upstream, docker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def image() -> str:
    """The gateway's image: the one that the environment names, or the very one that a stack runs."""
    if given := os.environ.get("AIINFRA_LITELLM_IMAGE"):
        return given
    build = image_build("litellm", Build())
    found = subprocess.run(["docker", "image", "inspect", build.tag], capture_output=True, check=False)
    if found.returncode != 0:
        docker("build", "--quiet", "--tag", build.tag, str(build.context))
    return build.tag


@pytest.fixture(scope="module")
def stage(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("stage"), image) as stage:
        yield stage


@pytest.fixture(scope="module")
def upstreams(stage: Stage) -> Upstream:
    return stage.upstream()


@pytest.fixture
def upstream(upstreams: Upstream) -> Upstream:
    """The providers, all answering, nothing received yet."""
    upstreams.reset()
    return upstreams
