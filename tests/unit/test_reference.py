"""The generated reference is the one of this code."""

import reference


def test_the_reference_in_the_repository_is_what_the_code_says() -> None:
    assert reference.REFERENCE.read_text(encoding="utf-8") == reference.reference(), "run `make reference`"
