"""What the service is told at start-up: environment variables and secret files."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mpc_api import reading
from mpc_api.keys import MAIN, SCOPES, Key, Quota
from mpc_api.kinds import KindName

LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("json", "text")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Settings:
    """Environment variables, each with the field it fills.

    LITELLM_URL              gateway_url      the gateway's address, without `/v1`
    MPC_MODEL_SCRIPT         script_model     model alias that writes scripts
    MPC_MODEL_THUMBNAIL      thumbnail_model  model alias that writes thumbnail prompts
    MPC_MODEL_METADATA       metadata_model   model alias that writes metadata
    MPC_REQUEST_TIMEOUT      request_timeout  seconds that one request may take in all
    MPC_BATCH_CONCURRENCY    batch_concurrency  how many requests of one batch run at the same time, 1 to 100
    REDIS_URL                redis_url        redis://HOST:PORT/DB, no password in it; none: no cache
    MPC_REDIS_TIMEOUT        redis_timeout    seconds that a request waits for Redis at most
    MPC_CACHE_SECONDS        cache_seconds    how long an answer is kept for identical requests; 0 keeps none
    MPC_REQUESTS_PER_MINUTE  -                limit of each key that has none of its own
    MPC_TOKENS_PER_MINUTE    -                limit of each key that has none of its own
    MPC_KEYS                 keys             JSON: [{"name", "variable", "scopes"?, "requests_per_minute"?,
                                              "tokens_per_minute"?}], further callers; the key itself is the
                                              secret called `variable`
    MPC_CORS_ORIGINS         cors_origins     origins whose pages may call, separated by commas
    MPC_BODY_TIMEOUT         body_timeout     seconds that a request's headers, and then its body, may take to arrive
    MPC_MAX_IN_FLIGHT        max_in_flight    requests that are worked on at once; more are refused
    LOG_LEVEL                log_level        debug, info, warning or error
    LOG_FORMAT               log_format       json, or text for people
    PORT                     port             0 takes a free one
    MPC_SECRETS_DIR          -                directory with the secret files, /run/secrets by default

    Secrets are the content of the file with their name, byte for byte, or the environment variable:
    MPC_API_KEY (what callers present), MPC_API_KEY_PREVIOUS (optional, accepted as well), LITELLM_MASTER_KEY
    (what we present), REDIS_PASSWORD (optional) and what MPC_KEYS names.
    """

    keys: tuple[tuple[bytes, Key], ...] = field(repr=False)
    gateway_key: str = field(repr=False)
    gateway_url: str = "http://edge:4000"
    redis_url: str = ""
    redis_password: str = field(repr=False, default="")
    redis_timeout: float = 0.25
    cache_seconds: int = 3600
    cors_origins: tuple[str, ...] = ()
    body_timeout: float = 10.0
    max_in_flight: int = 500
    log_format: str = "json"
    script_model: str = "mpc-script"
    thumbnail_model: str = "mpc-thumbnail"
    metadata_model: str = "mpc-metadata"
    request_timeout: float = 60.0
    batch_concurrency: int = 8
    log_level: str = "info"
    port: int = 3000

    @property
    def models(self) -> dict[KindName, str]:
        """The model alias of each kind."""
        return {
            "script": self.script_model,
            "thumbnail-prompt": self.thumbnail_model,
            "metadata": self.metadata_model,
        }

    @classmethod
    def load(cls, env: Mapping[str, str]) -> "Settings":
        """Settings from `env` and its secrets directory; raises SettingsError."""
        secrets = Path(env.get("MPC_SECRETS_DIR") or "/run/secrets")
        return cls(
            keys=_keys(secrets, env),
            gateway_key=reading.visible_ascii("LITELLM_MASTER_KEY", reading.secret("LITELLM_MASTER_KEY", secrets, env)),
            gateway_url=reading.url(env.get("LITELLM_URL") or cls.gateway_url),
            script_model=env.get("MPC_MODEL_SCRIPT") or cls.script_model,
            thumbnail_model=env.get("MPC_MODEL_THUMBNAIL") or cls.thumbnail_model,
            metadata_model=env.get("MPC_MODEL_METADATA") or cls.metadata_model,
            request_timeout=reading.seconds("MPC_REQUEST_TIMEOUT", env, cls.request_timeout),
            batch_concurrency=reading.whole("MPC_BATCH_CONCURRENCY", env, cls.batch_concurrency, least=1, most=100),
            redis_url=reading.redis_url(env.get("REDIS_URL") or ""),
            redis_password=reading.secret("REDIS_PASSWORD", secrets, env, optional=True).decode(
                "utf-8", "surrogateescape"
            ),
            redis_timeout=reading.seconds("MPC_REDIS_TIMEOUT", env, cls.redis_timeout),
            cache_seconds=reading.whole("MPC_CACHE_SECONDS", env, cls.cache_seconds, least=0),
            cors_origins=reading.origins(env.get("MPC_CORS_ORIGINS") or ""),
            body_timeout=reading.seconds("MPC_BODY_TIMEOUT", env, cls.body_timeout),
            max_in_flight=reading.whole("MPC_MAX_IN_FLIGHT", env, cls.max_in_flight, least=1),
            log_level=reading.one_of("LOG_LEVEL", env, LOG_LEVELS, cls.log_level),
            log_format=reading.one_of("LOG_FORMAT", env, LOG_FORMATS, cls.log_format),
            port=reading.port(env.get("PORT") or str(cls.port)),
        )


def _keys(secrets: Path, env: Mapping[str, str]) -> tuple[tuple[bytes, Key], ...]:
    standard = Quota(_limit("MPC_REQUESTS_PER_MINUTE", env), _limit("MPC_TOKENS_PER_MINUTE", env))
    main = Key(MAIN, SCOPES, standard)
    found = [(reading.secret("MPC_API_KEY", secrets, env), main)]
    previous = reading.secret("MPC_API_KEY_PREVIOUS", secrets, env, optional=True)
    if previous:
        found.append((previous, main))
    for variable, key in _callers(env.get("MPC_KEYS") or "[]", standard):
        found.append((reading.secret(variable, secrets, env), key))
    if len({secret for secret, _ in found}) < len(found) - bool(previous):
        raise reading.SettingsError("MPC_KEYS: two callers have the same key")
    return tuple(found)


def _limit(name: str, env: Mapping[str, str]) -> int | None:
    return reading.whole(name, env, 0, least=1) if env.get(name) else None


def _callers(text: str, standard: Quota) -> list[tuple[str, Key]]:
    try:
        entries = json.loads(text)
        found = [(str(entry["variable"]), _caller(entry, standard)) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise reading.SettingsError(f"MPC_KEYS cannot be read: {type(error).__name__}: {error}") from error
    names = [MAIN, *(key.name for _, key in found)]
    for name in names:
        if names.count(name) > 1 or not _NAME.fullmatch(name):
            raise reading.SettingsError(f"MPC_KEYS: {name!r} is not a name, or is taken already")
    return found


def _caller(entry: Mapping[str, object], standard: Quota) -> Key:
    given = entry.get("scopes", sorted(SCOPES))
    scopes = frozenset(given) if isinstance(given, list) else frozenset()
    limits = [entry.get("requests_per_minute") or standard.requests, entry.get("tokens_per_minute") or standard.tokens]
    if not scopes <= SCOPES or any(limit is not None and (type(limit) is not int or limit < 1) for limit in limits):
        raise ValueError(f"{entry.get('name')!r} has a scope or a limit that cannot be")
    requests, tokens = (limit if isinstance(limit, int) else None for limit in limits)
    return Key(str(entry["name"]), scopes, Quota(requests, tokens))
