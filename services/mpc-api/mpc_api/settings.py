"""What the service is told at start-up: environment variables and secret files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mpc_api.kinds import KindName

LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """A variable or a secret is missing or unusable; the message names it and never shows a secret."""


@dataclass(frozen=True)
class Settings:
    """Environment variables, each with the field it fills.

    LITELLM_URL            gateway_url      the gateway's address, without `/v1`
    MPC_MODEL_SCRIPT       script_model     model alias that writes scripts
    MPC_MODEL_THUMBNAIL    thumbnail_model  model alias that writes thumbnail prompts
    MPC_MODEL_METADATA     metadata_model   model alias that writes metadata
    MPC_REQUEST_TIMEOUT    request_timeout  seconds that one request may take in all
    MPC_BATCH_CONCURRENCY  batch_concurrency  how many requests of one batch run at the same time, 1 to 100
    LOG_LEVEL              log_level        debug, info, warning or error
    PORT                   port             0 takes a free one
    MPC_SECRETS_DIR        -                directory with the secret files, /run/secrets by default

    Secrets are the content of the file with their name, byte for byte, or the environment variable:
    MPC_API_KEY (api_key, what callers present) and LITELLM_MASTER_KEY (gateway_key, what we present).
    """

    api_key: bytes = field(repr=False)
    gateway_key: str = field(repr=False)
    gateway_url: str = "http://edge:4000"
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
            api_key=_secret("MPC_API_KEY", secrets, env),
            gateway_key=_ascii("LITELLM_MASTER_KEY", _secret("LITELLM_MASTER_KEY", secrets, env)),
            gateway_url=_url(env.get("LITELLM_URL") or cls.gateway_url),
            script_model=env.get("MPC_MODEL_SCRIPT") or cls.script_model,
            thumbnail_model=env.get("MPC_MODEL_THUMBNAIL") or cls.thumbnail_model,
            metadata_model=env.get("MPC_MODEL_METADATA") or cls.metadata_model,
            request_timeout=_seconds("MPC_REQUEST_TIMEOUT", env, cls.request_timeout),
            batch_concurrency=_count("MPC_BATCH_CONCURRENCY", env, cls.batch_concurrency),
            log_level=_log_level(env.get("LOG_LEVEL") or cls.log_level),
            port=_port(env.get("PORT") or str(cls.port)),
        )


def _secret(name: str, directory: Path, env: Mapping[str, str]) -> bytes:
    try:
        value = (directory / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        value = env.get(name, "").encode()
    except OSError as error:
        raise SettingsError(f"{name}: its file cannot be read: {error.strerror}") from error
    if not value:
        raise SettingsError(f"{name} is missing: write it to {directory / name} or set the variable")
    return value


def _ascii(name: str, value: bytes) -> str:
    # The key travels in an HTTP header: visible ASCII only.
    if any(not 0x21 <= byte <= 0x7E for byte in value):  # noqa: PLR2004
        raise SettingsError(f"{name}: only visible ASCII characters can be sent as a key")
    return value.decode("ascii")


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise SettingsError(f"LITELLM_URL: {text!r} does not begin with http:// or https://")
    return text.rstrip("/")


def _seconds(name: str, env: Mapping[str, str], default: float) -> float:
    text = env.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= 3600.0:  # noqa: PLR2004
        raise SettingsError(f"{name}: {text!r} is not a number of seconds above 0 and up to 3600")
    return seconds


def _count(name: str, env: Mapping[str, str], default: int) -> int:
    text = env.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100:  # noqa: PLR2004
        raise SettingsError(f"{name}: {text!r} is not a number from 1 to 100")
    return int(text)


def _log_level(text: str) -> str:
    level = text.lower()
    if level not in LOG_LEVELS:
        raise SettingsError(f"LOG_LEVEL: {text!r} is none of {', '.join(LOG_LEVELS)}")
    return level


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:  # noqa: PLR2004
        raise SettingsError(f"PORT: {text!r} is not a port: use 0 to 65535")
    return int(text)
