"""Who may call, and what."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import API_KEY, Service, running
from tests.test_errors import problem
from tests.upstream import Upstream

CALLERS = [
    {"name": "writer", "variable": "WRITER_KEY", "scopes": ["script"]},
    {"name": "painter", "variable": "PAINTER_KEY", "scopes": ["thumbnail-prompt", "metadata"]},
]
SECRETS = {"WRITER_KEY": "sk-writer-é", "PAINTER_KEY": "sk-painter", "MPC_API_KEY_PREVIOUS": "sk-before"}


@pytest.fixture(scope="module")
def keyed(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("secrets")
    for name, value in SECRETS.items():
        (folder / name).write_text(value, encoding="utf-8")
    variables = {"MPC_SECRETS_DIR": str(folder), "MPC_KEYS": json.dumps(CALLERS)}
    with running(LITELLM_URL=shared_upstream.url, **variables) as service:
        yield service


def as_(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_key_may_generate_what_its_scopes_say(keyed: Service) -> None:
    answer = keyed.post("/generate/script", {"topic": "x"}, headers=as_(SECRETS["WRITER_KEY"]))
    assert answer.status_code == 200
    answer = keyed.post("/generate/metadata", {"topic": "x"}, headers=as_(SECRETS["PAINTER_KEY"]))
    assert answer.status_code == 200


def test_a_key_without_the_scope_is_told_what_it_may_do_before_its_body_is_read(
    keyed: Service, upstream: Upstream
) -> None:
    answer = keyed.post("/generate/script", content=b"{broken", headers=as_(SECRETS["PAINTER_KEY"]))
    found = problem(answer, 403, "FORBIDDEN")
    assert found["details"] == {"scope": "script", "scopes": ["metadata", "thumbnail-prompt"]}
    assert upstream.seen == []
    line = keyed.logged(answer.headers["x-request-id"])
    assert (line["key"], line["scope"], line["code"]) == ("painter", "script", "FORBIDDEN")


def test_the_main_key_and_the_one_before_it_may_do_everything(keyed: Service) -> None:
    for secret in (API_KEY, SECRETS["MPC_API_KEY_PREVIOUS"]):
        answer = keyed.post("/generate/thumbnail-prompt", {"title": "x"}, headers=as_(secret))
        assert answer.status_code == 200
        assert keyed.logged(answer.headers["x-request-id"])["key"] == "main"


def test_no_key_is_ever_logged(keyed: Service) -> None:
    keyed.post("/generate/script", {"topic": "x"}, headers=as_("sk-of-a-stranger"))
    for secret in (*SECRETS.values(), API_KEY, "sk-of-a-stranger"):
        assert secret not in keyed.raw_logs


def test_a_rotation_needs_no_moment_without_a_key(shared_upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "MPC_API_KEY").write_text("new")
    (tmp_path / "MPC_API_KEY_PREVIOUS").write_text("old")
    with running(LITELLM_URL=shared_upstream.url, MPC_SECRETS_DIR=str(tmp_path)) as service:
        statuses = [
            service.post("/generate/script", {"topic": "x"}, headers=as_(key)).status_code
            for key in ("new", "old", "older")
        ]
    assert statuses == [200, 200, 401]
