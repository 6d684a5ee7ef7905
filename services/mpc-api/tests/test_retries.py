import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpc_api.retrying import LONGEST_PAUSE, TRIES, pause
from tests.service import Service, running
from tests.upstream import Reply, Upstream, error


@pytest.mark.parametrize(
    "failure",
    [
        error(503, "litellm.ServiceUnavailableError: overloaded"),
        error(429, "litellm.RateLimitError: slow down", retry_after="0"),
        Reply(503, body=b"<html>no server is available</html>"),
    ],
)
@pytest.mark.parametrize("query", ["", "?stream=true"])
def test_what_no_model_has_worked_on_is_tried_again(
    service: Service, upstream: Upstream, failure: Reply, query: str
) -> None:
    upstream.replies.append(failure)
    answer = service.post(f"/generate/script{query}", {"topic": "x"})
    assert answer.status_code == 200
    assert "event: error" not in answer.text
    assert len(upstream.seen) == 2


@pytest.mark.parametrize("failure", [error(500, "x"), error(502, "x"), error(408, "x"), Reply(body=b"<html>")])
def test_what_may_have_cost_something_is_not_tried_again(service: Service, upstream: Upstream, failure: Reply) -> None:
    upstream.replies.append(failure)
    assert service.post("/generate/script", {"topic": "x"}).status_code >= 500
    assert len(upstream.seen) == 1


def test_no_try_begins_after_the_deadline(upstream: Upstream) -> None:
    with running(LITELLM_URL=upstream.url, MPC_REQUEST_TIMEOUT="0.05") as service:
        service.post("/generate/script", {"topic": "warm"})
        upstream.seen.clear()
        upstream.replies.clear()
        upstream.replies.extend([error(503, "x")] * 3)
        answer = service.post("/generate/script", {"topic": "x"})
    assert answer.status_code in {503, 504}
    assert len(upstream.seen) <= 2


@given(st.integers(1, 5), st.none() | st.floats(0, 100), st.floats(0, 1))
def test_pauses_grow_are_spread_and_never_long(failed: int, wait: float | None, jitter: float) -> None:
    seconds = pause(failed, wait, jitter)
    if failed >= TRIES or (wait or 0) > LONGEST_PAUSE:
        assert seconds is None
    else:
        assert seconds is not None
        assert (wait or 0.0) + 0.1 <= seconds <= (wait or 0.0) + 0.4
