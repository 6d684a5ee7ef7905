"""What GET /metrics tells, counted where it happens."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from mpc_api.exchange import Exchange

REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "mpc_requests_total", "Answers by endpoint, method and status", ["endpoint", "method", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "mpc_request_seconds",
    "How long an answer took",
    ["endpoint"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
ERRORS = Counter("mpc_errors_total", "Failures by code and endpoint", ["code", "endpoint"], registry=REGISTRY)
TOKENS = Counter("mpc_tokens_total", "Tokens by key, model and kind", ["key", "model", "kind"], registry=REGISTRY)
CACHE = Counter("mpc_cache_total", "What the cache said: hit, miss, joined, bypassed", ["result"], registry=REGISTRY)
REJECTIONS = Counter(
    "mpc_rate_limit_rejections_total", "Refusals by key and quota", ["key", "quota"], registry=REGISTRY
)
IN_FLIGHT = Gauge("mpc_requests_in_flight", "Requests that are worked on", registry=REGISTRY)
REDIS_UP = Gauge("mpc_redis_up", "1 while Redis answers", registry=REGISTRY)


# Looking a series up costs more than counting in it.
_series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}


def count(exchange: Exchange, endpoint: str, method: str) -> None:
    """One answered request. `endpoint` and `method` come from a small set: each makes a time series."""
    series = _series.get((endpoint, method, exchange.status))
    if series is None:
        series = REQUESTS.labels(endpoint, method, str(exchange.status)), SECONDS.labels(endpoint)
        _series[endpoint, method, exchange.status] = series
    series[0].inc()
    series[1].observe(exchange.milliseconds() / 1000)
    code = exchange.fields.get("code")
    if code is not None:
        ERRORS.labels(str(code), endpoint).inc()
        quota = exchange.fields.get("quota")
        if quota is not None and exchange.key is not None:
            REJECTIONS.labels(exchange.key.name, str(quota)).inc()
