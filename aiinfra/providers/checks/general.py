"""Settings that LiteLLM takes, and that then do harm or nothing."""

from collections.abc import Iterator

from aiinfra.providers.fault import Fault, fault
from aiinfra.providers.known import did_you_mean
from aiinfra.providers.place import Path, Table

_MASTER_KEY = "os.environ/LITELLM_MASTER_KEY"
_REDIS, _REDIS_PASSWORD = "os.environ/REDIS_HOST", "os.environ/REDIS_PASSWORD"

# LiteLLMCacheType, litellm/types/caching.py.
_CACHES = (
    "local", "redis", "redis-semantic", "valkey-semantic", "s3", "disk", "qdrant-semantic", "azure-blob", "gcs"
)  # fmt: skip
_DATABASE = ("database_url", "store_model_in_db")


def faults(data: Table) -> Iterator[Fault]:
    general, settings = data.get("general_settings"), data.get("litellm_settings")
    if isinstance(general, Table):
        yield from _general(data, general)
    if isinstance(settings, Table):
        yield from _cache(data, settings)
    yield from _redis(data)


def _general(data: Table, general: Table) -> Iterator[Fault]:
    here: Path = ("general_settings",)
    key = general.get("master_key")
    if key == "":
        problem = "an empty master key is none, and LiteLLM does not start"
        yield fault(data, (*here, "master_key"), problem, f"write {_MASTER_KEY}")
    elif isinstance(key, str) and key.startswith("os.environ/") and key != _MASTER_KEY:
        problem = "the stack's own clients send LITELLM_MASTER_KEY, and would all be refused"
        yield fault(data, (*here, "master_key"), problem, f"write {_MASTER_KEY}")
    for name in _DATABASE:
        if general.get(name):
            problem = "LiteLLM's own database layer is not in the gateway's image, and LiteLLM does not start"
            fix = "remove it; LITELLM_DATABASE_URL in .env turns a log of every request on"
            yield fault(data, (*here, name), problem, fix)
    if general.get("background_health_checks") is True:
        problem = "this sends a real request to every deployment again and again, which costs money"
        yield fault(data, (*here, "background_health_checks"), problem, "remove it", severity="warning")


def _cache(data: Table, settings: Table) -> Iterator[Fault]:
    here: Path = ("litellm_settings",)
    parameters = settings.get("cache_params")
    if settings.get("cache") is True:
        kind = parameters.get("type", "redis") if isinstance(parameters, Table) else "redis"
        if kind not in _CACHES:
            problem = f"there is no cache of the type '{kind}'"
            yield fault(data, (*here, "cache_params", "type"), problem, did_you_mean(str(kind), _CACHES))
        reachable = isinstance(parameters, Table) and any(parameters.get(key) for key in ("host", "url"))
        if kind == "redis" and not reachable:
            problem = "the cache says no address of a Redis, and LiteLLM does not start"
            fix = (
                "add cache_params: {type: redis, host: os.environ/REDIS_HOST, port: os.environ/REDIS_PORT, "
                "password: os.environ/REDIS_PASSWORD}"
            )
            yield fault(data, (*here, "cache"), problem, fix)
    elif isinstance(parameters, Table):
        problem = "cache_params do nothing without `cache: true`"
        yield fault(data, (*here, "cache_params"), problem, "add `cache: true`", severity="warning")


def _redis(data: Table) -> Iterator[Fault]:
    """Who asks the stack's own Redis needs its password; LiteLLM starts without, slowly, and never gets through."""
    for path, host, password in (
        (("router_settings",), "redis_host", "redis_password"),
        (("litellm_settings", "cache_params"), "host", "password"),
    ):
        table: object = data
        for step in path:
            table = table.get(step) if isinstance(table, Table) else None
        if isinstance(table, Table) and table.get(host) == _REDIS and not table.get(password):
            yield fault(data, (*path, host), "the stack's Redis wants a password", f"add {password}: {_REDIS_PASSWORD}")
