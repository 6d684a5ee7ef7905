import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.service import Service, running
from tests.upstream import Reply, Upstream, error

SCRIPT = {"kind": "script", "request": {"topic": "cold brew", "duration": 20}}
THUMBNAIL = {"kind": "thumbnail-prompt", "request": {"title": "Cold brew"}}
METADATA = {"kind": "metadata", "request": {"topic": "cold brew"}}


def batch(service: Service, *requests: object) -> dict[str, Any]:
    answer = service.post("/generate/batch", {"requests": list(requests)})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    found: dict[str, Any] = body["data"]
    assert body["message"] == f"{found['succeeded']} of {len(requests)} generated"
    assert [one["index"] for one in found["results"]] == list(range(len(requests)))
    return found


def test_mixed_requests_get_what_each_alone_would_get_in_their_order(service: Service) -> None:
    found = batch(service, METADATA, SCRIPT, THUMBNAIL)
    alone = [
        service.post(f"/generate/{one['kind']}", one["request"]).json()["data"]  # type: ignore[index]
        for one in (METADATA, SCRIPT, THUMBNAIL)
    ]
    for one in [*alone, *(result["data"] for result in found["results"])]:
        one["usage"].pop("milliseconds")
        one["usage"].pop("cached")
    assert [result["data"] for result in found["results"]] == alone
    assert [result["kind"] for result in found["results"]] == ["metadata", "script", "thumbnail-prompt"]
    assert (found["succeeded"], found["failed"]) == (3, 0)
    assert found["usage"]["promptTokens"] == 300


def test_one_failure_costs_the_others_nothing(upstream: Upstream) -> None:
    invalid = {"kind": "script", "request": {"topic": "", "surprise": 1}}
    with running(LITELLM_URL=upstream.url, MPC_BATCH_CONCURRENCY="1") as one_by_one:
        upstream.replies.extend([Reply(), error(500, "litellm.InternalServerError: sk-secret")])
        found = batch(one_by_one, SCRIPT, invalid, METADATA, THUMBNAIL)
    assert [one["success"] for one in found["results"]] == [True, False, False, True]
    assert (found["succeeded"], found["failed"]) == (2, 2)
    wrong, broken = found["results"][1]["error"], found["results"][2]["error"]
    assert [field["path"] for field in wrong["details"]["fields"]] == ["topic", "surprise"]
    assert (broken["code"], broken["statusCode"]) == ("LLM_ERROR", 502)
    assert broken["details"] == {"gatewayStatus": 500, "errorClass": "InternalServerError"}
    assert "sk-secret" not in json.dumps(found)


@pytest.mark.parametrize(
    ("requests", "path"),
    [
        ([], "requests"),
        ([SCRIPT] * 101, "requests"),
        ([{"kind": "poem", "request": {}}], "requests.0.kind"),
        ([SCRIPT, {"kind": "script"}], "requests.1.request"),
        ([SCRIPT | {"priority": 1}], "requests.0.priority"),
        (["script"], "requests.0"),
    ],
)
def test_a_batch_that_is_no_batch_is_refused_as_a_whole(
    service: Service, upstream: Upstream, requests: list[object], path: str
) -> None:
    answer = service.post("/generate/batch", {"requests": requests})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["path"] == path
    assert upstream.seen == []


def test_a_hundred_are_run_a_few_at_a_time(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url, MPC_BATCH_CONCURRENCY="3") as service:
        upstream.replies.extend([Reply(delay=0.05)] * 12)
        found = batch(service, *[THUMBNAIL | {"request": {"title": f"{index}"}} for index in range(100)])
    assert found["succeeded"] == 100
    assert 1 < upstream.most_at_once <= 3
    assert len(upstream.seen) == 100


def test_one_deadline_covers_the_whole_batch(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url, MPC_REQUEST_TIMEOUT="1", MPC_BATCH_CONCURRENCY="1") as service:
        upstream.replies.append(Reply(delay=60))
        found = batch(service, SCRIPT, METADATA, THUMBNAIL)
    codes = [one["error"] and one["error"]["code"] for one in found["results"]]
    assert codes == ["GATEWAY_TIMEOUT"] * 3
    assert len(upstream.seen) <= 1


def test_a_batch_does_not_stop_others(service: Service, upstream: Upstream) -> None:
    upstream.replies.extend([Reply(delay=0.3)] * 8)
    with ThreadPoolExecutor(1) as pool:
        running_batch = pool.submit(batch, service, *[SCRIPT] * 8)
        assert service.client.get("/health/live").status_code == 200
        assert running_batch.result()["succeeded"] == 8
