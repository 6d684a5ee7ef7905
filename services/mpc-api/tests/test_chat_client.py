from tests.service import GATEWAY_KEY, Service
from tests.upstream import Upstream


def test_every_call_has_its_own_body_and_id_and_is_otherwise_like_the_first(
    service: Service, upstream: Upstream
) -> None:
    topics = ["Cold brew", "Hot chocolate, with cream", "Tea for two"]
    for number, topic in enumerate(topics):
        service.post("/generate/script", {"topic": topic}, headers={"X-Request-ID": f"call-{number}"})
    common = []
    for number, (seen, topic) in enumerate(zip(upstream.seen, topics, strict=True)):
        headers = {name.lower(): value for name, value in seen.headers.items()}
        assert topic in seen.body["messages"][1]["content"]
        assert headers.pop("x-request-id") == f"call-{number}"
        assert headers.pop("content-length").isdigit()
        assert headers["authorization"] == f"Bearer {GATEWAY_KEY}"
        assert headers["content-type"] == "application/json"
        common.append(headers)
    assert common[0] == common[1] == common[2]
