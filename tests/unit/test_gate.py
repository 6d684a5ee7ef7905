"""When a new gateway serves what was rendered."""

import pytest

from aiinfra.gate import models_fault


@pytest.mark.parametrize(
    ("rendered", "served", "fault"),
    [
        (["a", "b"], {"a", "b"}, ""),
        (["a", "a"], {"a"}, ""),
        (["a", "b"], {"a"}, "it does not serve b, which the provider config has"),
        (["a"], {"a", "x"}, "it serves x, which the provider config does not have"),
        ([], set(), ""),
        (["openai/*", "a"], {"a", "openai/gpt-4o"}, ""),
        (["openai/*", "a"], {"openai/gpt-4o"}, "it does not serve a, which the provider config has"),
    ],
)
def test_the_models_must_be_those_of_the_config_and_a_wildcard_stands_for_any(
    rendered: list[str], served: set[str], fault: str
) -> None:
    assert models_fault(rendered, served) == fault
