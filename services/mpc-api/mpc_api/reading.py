"""Reading what the service is told: one function for each form that a variable or a secret can have."""

import re
from collections.abc import Mapping
from pathlib import Path

_ORIGIN = re.compile(r"https?://[\w.:\[\]-]+")
_REDIS_URL = re.compile(r"redis://[\w.\[\]:-]+(:\d{1,5})?(/\d{1,4})?")


class SettingsError(Exception):
    """A variable or a secret is missing or unusable; the message names it and never shows a secret."""


def secret(name: str, directory: Path, env: Mapping[str, str], *, optional: bool = False) -> bytes:
    try:
        value = (directory / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        value = env.get(name, "").encode()
    except OSError as error:
        raise SettingsError(f"{name}: its file cannot be read: {error.strerror}") from error
    if not value and not optional:
        raise SettingsError(f"{name} is missing: write it to {directory / name} or set the variable")
    return value


def visible_ascii(name: str, value: bytes) -> str:
    # The key travels in an HTTP header: visible ASCII only.
    if any(not 0x21 <= byte <= 0x7E for byte in value):  # noqa: PLR2004
        raise SettingsError(f"{name}: only visible ASCII characters can be sent as a key")
    return value.decode("ascii")


def url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise SettingsError(f"LITELLM_URL: {text!r} does not begin with http:// or https://")
    return text.rstrip("/")


def seconds(name: str, env: Mapping[str, str], default: float) -> float:
    text = env.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= 3600.0:  # noqa: PLR2004
        raise SettingsError(f"{name}: {text!r} is not a number of seconds above 0 and up to 3600")
    return seconds


def whole(name: str, env: Mapping[str, str], default: int, *, least: int, most: int = 10**9) -> int:
    text = env.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise SettingsError(f"{name}: {text!r} is not a whole number from {least} to {most}")
    return int(text)


def one_of(name: str, env: Mapping[str, str], known: tuple[str, ...], default: str) -> str:
    text = env.get(name) or default
    if text.lower() not in known:
        raise SettingsError(f"{name}: {text!r} is none of {', '.join(known)}")
    return text.lower()


def redis_url(text: str) -> str:
    if text and not _REDIS_URL.fullmatch(text):
        # Not shown: it may have a password.
        raise SettingsError("REDIS_URL is not redis://HOST[:PORT][/DB]; the password belongs into REDIS_PASSWORD")
    return text


def origins(text: str) -> tuple[str, ...]:
    found = tuple(origin.strip() for origin in text.split(",") if origin.strip())
    for origin in found:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(f"MPC_CORS_ORIGINS: {origin!r} is not http[s]://HOST[:PORT]")
    return found


def port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:  # noqa: PLR2004
        raise SettingsError(f"PORT: {text!r} is not a port: use 0 to 65535")
    return int(text)
