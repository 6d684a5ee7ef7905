"""Which versions of Docker are good enough."""

import pytest

from aiinfra.engine import Versions, refuse_old
from aiinfra.errors import AiinfraError, Code


@pytest.mark.parametrize(
    "versions",
    [
        Versions("25.0.0", "2.30.0", "github.com/docker/buildx v0.12.0 abc"),
        Versions("28.5.2+dfsg4", "2.40.3-1", "github.com/docker/buildx 0.29.1+ds1"),
        Versions("29.0.0-rc.1", "v5.0.0", "github.com/docker/buildx v1.0.0"),
    ],
)
def test_new_enough_versions_pass_however_they_are_written(versions: Versions) -> None:
    refuse_old(versions)


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        (
            Versions("20.10.24+dfsg1", "2.40.3", "v0.29.1"),
            "the Docker engine is 20.10.24+dfsg1, at least 25.0 is needed",
        ),
        (Versions("24.0.9", "2.40.3", "v0.29.1"), "the Docker engine is 24.0.9, at least 25.0 is needed"),
        (Versions("28.0.0", "2.29.7", "v0.29.1"), "Docker's Compose plugin is 2.29.7, at least 2.30 is needed"),
        (Versions("28.0.0", "2.40.3", "v0.11.2"), "Docker's buildx plugin is v0.11.2, at least 0.12 is needed"),
        (Versions("nonsense", "2.40.3", "v0.29.1"), "the Docker engine is nonsense, at least 25.0 is needed"),
    ],
)
def test_an_old_version_is_refused_with_what_is_needed(versions: Versions, message: str) -> None:
    with pytest.raises(AiinfraError) as caught:
        refuse_old(versions)
    assert (caught.value.code, caught.value.message) == (Code.DOCKER_TOO_OLD, message)
