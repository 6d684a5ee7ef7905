"""What fails while something is put back never hides why it had to be."""

from contextlib import suppress

import pytest

from aiinfra.commands.undoing import undoing
from aiinfra.errors import AiinfraError, Code, Interrupted


def first() -> AiinfraError:
    return AiinfraError(Code.NOT_READY, "it exited with code 1", details={"kept": True, "service": "litellm"})


def test_a_second_failure_is_told_beside_the_first_and_nothing_is_said_to_be_kept() -> None:
    error = first()
    with undoing(error):
        raise AiinfraError(Code.DISK_FULL, "no space is left")
    assert error.code is Code.NOT_READY
    assert error.message.startswith("it exited with code 1\n")
    assert error.message.endswith("no space is left")
    assert error.details == {"service": "litellm"}


def test_the_same_failure_is_told_once() -> None:
    error = AiinfraError(Code.DOCKER_STOPPED, "no Docker engine answers")
    with undoing(error):
        raise AiinfraError(Code.DOCKER_STOPPED, "no Docker engine answers")
    assert error.message == "no Docker engine answers"


def test_what_could_be_put_back_leaves_the_first_error_as_it_was() -> None:
    error = first()
    with undoing(error):
        pass
    assert (error.message, error.details) == (first().message, first().details)


def test_an_interrupt_stays_one_and_a_further_one_gets_through() -> None:
    with undoing(Interrupted(2)):
        raise AiinfraError(Code.EDGE_REFUSED, "it does not answer")
    with pytest.raises(Interrupted), undoing(first()), suppress(AiinfraError):
        raise Interrupted(15)
