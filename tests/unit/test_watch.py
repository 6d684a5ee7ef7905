"""Changes that Docker never ends."""

import time

import pytest

from aiinfra.engine.watch import translated
from aiinfra.errors import AiinfraError, Code


def test_a_change_that_takes_longer_than_it_may_ends_as_an_engine_that_hangs() -> None:
    with pytest.raises(AiinfraError) as caught, translated(limit=0.2):
        time.sleep(60)
    assert (caught.value.code, caught.value.exit_code) == (Code.DOCKER_STOPPED, 4)
