"""Providers that know no JSON schema, no JSON mode, or neither."""

import json
from typing import Any

import pytest

from mpc_api.extraction import json_object
from mpc_api.formats import FORGET_AFTER, Format, Formats
from tests.service import Service, running
from tests.upstream import Reply, Upstream, draft, error

NO_SCHEMA = error(400, "litellm.BadRequestError: 'response_format' of type 'json_schema' is not supported")
NO_JSON = error(400, "litellm.UnsupportedParamsError: mistral does not support parameters: {'response_format'}")


def formats(upstream: Upstream) -> list[str | None]:
    return [(one.body.get("response_format") or {}).get("type") for one in upstream.seen]


def test_without_schemas_json_mode_and_without_that_plain_text_and_it_is_remembered(upstream: Upstream) -> None:
    fenced = f"Sure!\n```json\n{json.dumps(draft('script', {}))}\n```\nAnything else?"
    with running(LITELLM_URL=upstream.url) as service:
        upstream.replies.extend([NO_SCHEMA, NO_JSON, Reply(text=fenced)])
        assert service.post("/generate/script", {"topic": "x"}).status_code == 200
        assert formats(upstream) == ["json_schema", "json_object", None]
        system = upstream.seen[-1].body["messages"][0]["content"]
        assert '"additionalProperties":false' in system
        assert '"additionalProperties":false' not in upstream.seen[0].body["messages"][0]["content"]

        upstream.replies.append(Reply(text=fenced))
        assert service.post("/generate/script", {"topic": "y"}).status_code == 200
        assert formats(upstream)[3:] == [None]
        # each model has its own
        assert service.post("/generate/metadata", {"topic": "y"}).status_code == 200
        assert formats(upstream)[4:] == ["json_schema"]


def test_a_provider_that_ignores_the_schema_is_told_it_in_words(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url) as service:
        upstream.replies.append(Reply(text="Volcanoes are mountains that ..."))
        assert service.post("/generate/script", {"topic": "x"}).status_code == 200
        assert formats(upstream) == ["json_schema", "json_object"]
        assert service.post("/generate/script", {"topic": "y"}).status_code == 200
        assert formats(upstream)[2:] == ["json_object"]


def test_another_bad_request_is_not_about_the_format(service: Service, upstream: Upstream) -> None:
    upstream.replies.append(error(400, "litellm.ContextWindowExceededError: too long"))
    answer = service.post("/generate/thumbnail-prompt", {"title": "x"})
    assert (answer.status_code, answer.json()["error"]["details"]["errorClass"]) == (502, "ContextWindowExceededError")
    assert len(upstream.seen) == 1


def test_a_provider_that_refuses_every_format_is_an_error_of_the_provider(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url) as service:
        upstream.replies.extend([NO_SCHEMA] * 3)
        answer = service.post("/generate/script", {"topic": "x"})
        assert answer.json()["error"]["code"] == "LLM_ERROR"
        assert len(upstream.seen) == 3


def test_streams_fall_back_too(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url) as service:
        upstream.replies.append(NO_SCHEMA)
        answer = service.post("/generate/script?stream=true", {"topic": "x"})
        assert "event: result" in answer.text
        assert formats(upstream) == ["json_schema", "json_object"]


def test_what_was_found_out_is_forgotten_after_ten_minutes() -> None:
    now = [0.0]
    known = Formats(clock=lambda: now[0])
    assert known.best("m") is Format.SCHEMA
    known.found("m", Format.TEXT)
    now[0] = FORGET_AFTER - 1
    assert known.best("m") is Format.TEXT
    known.found("m", Format.TEXT)  # success does not prolong it
    now[0] = FORGET_AFTER
    assert known.best("m") is Format.SCHEMA
    assert known.best("other") is Format.SCHEMA


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('  \n{"a": {"b": "}"}}\n', {"a": {"b": "}"}}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n{"a": 1}\n```', {"a": 1}),
        ('First {"a": 1} and then {"a": 1, "b": 2}.', {"a": 1, "b": 2}),
        ('Use { and } like {"a": "{"}', {"a": "{"}),
        ("[1, 2]", None),
        ("", None),
        ("{" * 100_000, None),
        ('{"a": ' * 5_000, None),
        ('{"a": 1', None),
    ],
)
def test_the_object_is_found_in_whatever_stands_around_it(text: str, found: dict[str, Any] | None) -> None:
    text_found = json_object(text)
    assert (None if text_found is None else json.loads(text_found)) == found
