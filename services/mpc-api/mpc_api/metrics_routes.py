"""GET /metrics, in the format of Prometheus; no key needed, and nothing in it that needs one."""

from fastapi import APIRouter, Response

router = APIRouter()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics() -> Response:
    """Requests, durations, failures, tokens, cache hits, rate-limit refusals and what is in flight."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415

    from mpc_api.metrics import REGISTRY  # noqa: PLC0415

    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
