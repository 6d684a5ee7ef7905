"""Which environment variables a provider config needs, and which of the user's its container gets."""

import re
from collections.abc import Iterable, Mapping

# What the stack itself provides.
PROVIDED = ("REDIS_HOST", "REDIS_PORT")

# Where every request is logged, in any config, when the user sets it.
DATABASE_URL = "LITELLM_DATABASE_URL"

REFERENCE = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")

# Read by LiteLLM or our logger themselves, named in no config; passed on when the user sets them.
OPTIONAL = (
    "OPENAI_API_BASE",
    "OPENAI_BASE_URL",
    "OPENAI_ORGANIZATION",
    "ANTHROPIC_API_BASE",
    "ANTHROPIC_BASE_URL",
    "AZURE_API_BASE",
    "AZURE_API_VERSION",
    "SLACK_WEBHOOK_URL",
    DATABASE_URL,
)


def secrets(names: Iterable[str], values: Mapping[str, str]) -> dict[str, str]:
    """Return what LiteLLM's container gets of the user's variables, and nothing else."""
    wanted = dict.fromkeys((*names, *OPTIONAL))
    return {name: values[name] for name in wanted if values.get(name) and name not in PROVIDED}
