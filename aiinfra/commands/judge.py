"""LiteLLM's own loader, on the very image that will run, in a container without network: the last of the checks."""

import json
from dataclasses import dataclass, replace

from aiinfra.bundle import SERVICES
from aiinfra.commands.build import ImageWishes, image_work, make_images
from aiinfra.commands.config import Checked, path_of
from aiinfra.commands.init import missing_keys
from aiinfra.engine import Engine, ask
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import load
from aiinfra.naming import STACK_LABEL
from aiinfra.providers import ProviderConfig, redacted_text
from aiinfra.reporting import Event, Report
from aiinfra.stack import LITELLM
from aiinfra.target import Target

# Seconds. LiteLLM takes 6 of them on a quiet machine.
_TIMEOUT = 240.0
_LINES = 8


@dataclass(frozen=True)
class Verdict:
    """`refused` is why LiteLLM does not load a config, "" when it does; `dropped` deployments it would not serve."""

    refused: str = ""
    dropped: tuple[str, ...] = ()


def judged(target: Target, found: Checked, *, engine: Engine, report: Report) -> Checked:
    """Let LiteLLM itself judge a config that our own checks have nothing against; builds its image if need be."""
    loaded = load(target, missing_keys(target), provider_config=found.name)
    ids = engine.image_ids(list(loaded.service_images.values()))
    work = image_work(loaded, ImageWishes(), touched={LITELLM}, ids=ids, engine=engine)
    if work.builds:
        engine.require()
        make_images(work, engine=engine, report=report)
    verdict = _asked(loaded.provider, loaded.service_images[LITELLM], {STACK_LABEL: target.name})
    words = _words(verdict)
    return replace(found, usable=not words, judged=True, words=words)


def insist_on_litellm(target: Target, name: str, *, engine: Engine, report: Report) -> None:
    """Let LiteLLM judge a config. Raises AiinfraError (PROVIDER_CONFIG_INVALID) with its own words."""
    report(Event("begin", name, "LiteLLM itself looks at it"))
    clean = Checked(name, "", usable=True, judged=False, faults=())
    verdict = judged(target, clean, engine=engine, report=report)
    if not verdict.usable:
        raise AiinfraError(
            Code.PROVIDER_CONFIG_INVALID,
            f"the provider config '{name}' cannot be used: {verdict.words}",
            hint=f"edit {path_of(target, name)}; nothing was touched",
            details={"provider_config": name},
        )
    report(Event("done", name, "LiteLLM takes it"))


def _asked(config: ProviderConfig, image: str, labels: dict[str, str]) -> Verdict:
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
    # By alias alone: LiteLLM takes the provider away from the names of some models.
    return Verdict(dropped=config.dropped(alias for alias, _ in answer["models"]))


def _words(verdict: Verdict) -> str:
    if verdict.refused:
        return f"LiteLLM itself refuses it: {verdict.refused}"
    return f"LiteLLM would leave out in silence: {', '.join(verdict.dropped)}" if verdict.dropped else ""


def _no_verdict(config: ProviderConfig, reason: str) -> AiinfraError:
    return AiinfraError(
        Code.DOCKER_REFUSED,
        f"LiteLLM could not be asked about '{config.name}': {redacted_text(reason)}",
        hint=f"leave it out: `aiinfra config check {config.name} --quick`; nothing was touched",
    )
