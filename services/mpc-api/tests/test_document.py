"""Every answer conforms to the OpenAPI document, whatever is asked."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi import checks

from tests.service import API_KEY, Service

# A schema cannot say what the registry of languages decides, nor that a text of nothing but spaces is none.
NOT_TOLD: list[CheckFunction] = [checks.positive_data_acceptance]
HEADERS = {"Authorization": f"Bearer {API_KEY}"}


def operations(service: Service) -> list[Any]:
    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    schema.config.update(base_url=service.url)
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_conforms(service: Service, mode: GenerationMode) -> None:
    found = operations(service)
    assert {one.path for one in found} >= {"/health", "/generate/script", "/generate/batch"}
    for operation in found:
        # Only bodies can be wrong: other parameters and headers are passed over, as everywhere.
        fixed: dict[str, Any] = {"query": {}, "headers": {}} if mode is GenerationMode.NEGATIVE else {}
        if fixed and operation.method == "get":
            continue

        @seed(1)
        @settings(max_examples=12, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode, **fixed), st.booleans())
        def conforms(case: Any, anonymous: bool) -> None:  # noqa: ANN401, FBT001
            case.call_and_validate(headers={} if anonymous else HEADERS, excluded_checks=NOT_TOLD)

        conforms()
