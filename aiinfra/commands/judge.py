"""LiteLLM's own loader, on the very image that will run, in a container without network: the last of the checks."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from aiinfra.bundle import SERVICES
from aiinfra.engine import ask
from aiinfra.errors import AiinfraError, Code
from aiinfra.providers import ProviderConfig, redacted_text

# Seconds. LiteLLM takes 6 of them on a quiet machine.
_TIMEOUT = 240.0
_LINES = 8


@dataclass(frozen=True)
class Verdict:
    """`refused` is why LiteLLM does not load a config, "" when it does; `dropped` deployments it would not serve."""

    refused: str = ""
    dropped: tuple[str, ...] = ()


def judge(config: ProviderConfig, image: str, labels: dict[str, str]) -> Verdict:
    """Ask LiteLLM. No real key is handed over. Raises AiinfraError for Docker, or when there is no verdict."""
    program = (SERVICES / "litellm" / "judge.py").read_text(encoding="utf-8")
    # LiteLLM refuses short and well-known master keys.
    stand_ins = {name: f"sk-stand-in-for-{name}" for name in config.variables}
    stand_ins |= {name: "http://stand-in.invalid" for name in stand_ins if name.endswith(("_BASE", "_URL"))}
    stand_ins |= {"LITELLM_MASTER_KEY": "sk-stand-in-for-the-master-key", "REDIS_HOST": "127.0.0.1"}
    stand_ins |= {"REDIS_PORT": "6379"}
    try:
        done = ask(image, program, text=config.text, environment=stand_ins, labels=labels, seconds=_TIMEOUT)
    except TimeoutError as error:
        raise _no_verdict(config, f"LiteLLM did not load it within {_TIMEOUT:.0f} s") from error
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise _no_verdict(config, "\n".join(done.stderr.splitlines()[-_LINES:])) from error
    if "refused" in answer:
        return Verdict(refused=redacted_text(str(answer["refused"])))
    return Verdict(dropped=tuple(_dropped(config, answer["models"])))


def _dropped(config: ProviderConfig, served: Iterable[tuple[str, str]]) -> list[str]:
    # By alias alone: LiteLLM takes the provider away from the names of some models.
    found = Counter(alias for alias, _ in served)
    wanted = Counter(one["model_name"] for one in config.data.get("model_list") or ())
    return [alias for alias, number in wanted.items() if "*" not in alias and found[alias] < number]


def _no_verdict(config: ProviderConfig, reason: str) -> AiinfraError:
    return AiinfraError(
        Code.DOCKER_REFUSED,
        f"LiteLLM could not be asked about '{config.name}': {redacted_text(reason)}",
        hint=f"leave it out: `aiinfra config check {config.name} --quick`; nothing was touched",
    )
