"""Variables of .env: not set, empty, placeholders, or not shaped like what their provider hands out."""

import re
from collections.abc import Iterator, Mapping

from aiinfra import keys
from aiinfra.providers.fault import Fault
from aiinfra.providers.needs import OPTIONAL, PROVIDED, needs
from aiinfra.providers.place import Table, dotted, place_of

_OWN = {key.name for key in keys.OWN_KEYS}
_SECRET = re.compile(r"_(KEY|TOKEN|SECRET|PASSWORD)$")
_URL = re.compile(r"https?://[^\s/]+(/\S*)?")

# How the keys of a provider begin; another address may want another kind of key.
_BEGINS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "OPENAI_API_KEY": ("sk-", ("OPENAI_API_BASE", "OPENAI_BASE_URL")),
    "ANTHROPIC_API_KEY": ("sk-ant-", ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL")),
    "GROQ_API_KEY": ("gsk_", ()),
    "XAI_API_KEY": ("xai-", ()),
    "OPENROUTER_API_KEY": ("sk-or-", ()),
}
_SHAPES: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = (
    (re.compile(r".*_(API_BASE|BASE_URL|WEBHOOK_URL)"), _URL, "is no http(s) address"),
    (
        re.compile(r"AZURE_API_VERSION"),
        re.compile(r"\d{4}-\d\d-\d\d(-preview)?|v1|preview|latest"),
        "is no version of Azure's API, such as 2024-10-21",
    ),
    (
        re.compile(r"LITELLM_DATABASE_URL"),
        re.compile(r"postgres(ql)?://\S+"),
        "is no address of a PostgreSQL: postgresql://USER:PASSWORD@HOST/DATABASE",
    ),
)
_MINIMUM = 16
_PEM = "-----BEGIN "


def faults(data: Table, values: Mapping[str, str], file_name: str) -> Iterator[Fault]:
    """Yield what is wrong with the variables of a config; `file_name` is the .env they are to be set in."""
    seen = set()
    for need in needs(data):
        present = [name for name in need.names if values.get(name)]
        place, path = place_of(data, need.path), dotted(need.path)
        name = (present or need.names)[0]
        seen.add(name)
        if name in PROVIDED or name in _OWN:
            continue
        if not present and not need.optional:
            how = "is empty" if name in values else "is not set"
            problem = f"{name} {how}"
            yield Fault(place.file, place.line, path, problem, f"set {name}=... in {file_name}", variable=name)
        elif present and (wrong := _wrong(name, values)):
            yield Fault(place.file, place.line, path, f"{name} {wrong}", f"mend it in {file_name}", variable=name)
    for name in OPTIONAL:
        if name not in seen and values.get(name) and (wrong := _wrong(name, values)):
            yield Fault(file_name, 0, name, wrong, "mend or remove it", variable=name)


def _wrong(name: str, values: Mapping[str, str]) -> str:
    """Say what is wrong with a value, without showing it."""
    value = values[name]
    form = next(((shape, problem) for pattern, shape, problem in _SHAPES if pattern.fullmatch(name)), None)
    if form is None and (not _SECRET.search(name) or value.startswith(_PEM)):
        # Credentials in JSON have many lines.
        return ""
    if value != value.strip() or "\n" in value:
        return "has a space or a line break in it"
    if form is None:
        return _wrong_key(name, value, values)
    shape, problem = form
    return "" if shape.fullmatch(value) else problem


def foreign_key(provider: str, value: str) -> str:
    """Say why a value cannot be a key for a provider's own address; "" when it can, or when nobody knows."""
    begins, _ = _BEGINS.get(f"{provider.upper()}_API_KEY", ("", ()))
    rules = (
        (provider == "openai" and value.startswith("sk-ant-"), "is a key of Anthropic"),
        (not value.startswith(begins), f"is no key of this provider: those begin with '{begins}'"),
        (len(value) < _MINIMUM, f"is too short: {len(value)} characters"),
    )
    return next((problem for broken, problem in rules if broken), "") if begins and value else ""


def _wrong_key(name: str, value: str, values: Mapping[str, str]) -> str:
    if keys.is_placeholder(value):
        return "is a placeholder"
    _, elsewhere = _BEGINS.get(name, ("", ()))
    ours = not any(values.get(other) for other in elsewhere)
    return foreign_key(name.removesuffix("_API_KEY").lower(), value) if ours and name in _BEGINS else ""
