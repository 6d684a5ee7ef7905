"""A generation, read back from what was kept of it, with the keys of today."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aiinfra import generations, keys, providers
from aiinfra.engine import Container, Engine
from aiinfra.errors import AiinfraError, Code
from aiinfra.generations import Generation
from aiinfra.keys import OWN_KEYS
from aiinfra.loading import Loaded, wanted_certificate
from aiinfra.naming import CONTENT_LABEL
from aiinfra.providers import ProviderConfig
from aiinfra.rendering import Rendered, RenderedFile, beginning_edge, digest
from aiinfra.stack import BUILT, LITELLM, Stack
from aiinfra.target import Target


def load_kept(target: Target, generation: Generation) -> Loaded:
    """Return a target as it was then. Raises AiinfraError (ROLLBACK_REFUSED) where that is not to be had."""
    values = keys.load(target.directory, target.name)
    keys.check(values, target.keys_file)
    state = target.workspace.state()
    if state is None:
        raise refusal(generation, "this directory has no stack")
    identity = replace(state.identity, ports=dict(generation.ports), address=generation.address)
    certificate = wanted_certificate(target)
    stack = Stack(target.name, target.directory, target.settings, identity, dict(generation.replicas), certificate)
    changed = [name for name, was in generation.keys.items() if digest(stack, values.get(name, "")) != was]
    changed += [name for name in _exchanged(values) if name not in generation.keys]
    if changed:
        raise refusal(generation, f"these keys changed since, and keys are never rolled back: {', '.join(changed)}")
    rendered = _rendered(target, generation, stack)
    provider = config_of(target, generation)
    own = {service: generation.images[service] for service in BUILT}
    return Loaded(
        target, stack, values, provider, replace(state, identity=identity), own, rendered, dict(generation.images)
    )


def serving(target: Target, containers: Sequence[Container]) -> Generation | None:
    """Return what was kept of the state that the gateway of `containers` runs; None where it is not kept."""
    runs = {one.labels.get(CONTENT_LABEL) for one in containers if one.service == LITELLM and one.running}
    kept = reversed(generations.load(target.workspace))
    return next((one for one in kept if one.hashes.get(LITELLM) in runs), None)


def config_of(target: Target, generation: Generation) -> ProviderConfig:
    """Return the provider config as it was rendered then. Raises AiinfraError when it is gone."""
    return providers.kept(generation.provider_config, _config(target, generation))


def digests(loaded: Loaded) -> dict[str, str]:
    """Return what tells later whether a key that this state uses changed."""
    handed_over = [file.path.split("/")[-1] for file in loaded.rendered.files if file.secret and not file.live]
    names = {*(key.name for key in OWN_KEYS), *_exchanged(loaded.values), *handed_over}
    return {name: digest(loaded.stack, loaded.values[name]) for name in sorted(names)}


def _exchanged(values: Mapping[str, str]) -> list[str]:
    """Return the variables that hold the keys of before, while they are accepted too."""
    return [name + keys.PREVIOUS for name in keys.previous(values)]


def retags(generation: Generation, engine: Engine) -> dict[str, str]:
    """Return the names of ours that mean another image by now, each with the id to name so again.

    Raises AiinfraError (ROLLBACK_REFUSED) when an image is gone.
    """
    found = {}
    for service in BUILT:
        name, wanted = generation.images[service], generation.image_ids[service]
        if not engine.image_id(wanted):
            raise refusal(generation, f"the image of {service} is gone ({name}, {wanted[:19]})")
        if engine.image_id(name) != wanted:
            found[name] = wanted
    return found


def refusal(generation: Generation, reason: str) -> AiinfraError:
    return AiinfraError(
        Code.ROLLBACK_REFUSED,
        f"the stack cannot go back to generation {generation.number}: {reason}",
        hint="nothing was touched; `aiinfra history` shows the others, `aiinfra up` applies the settings",
        details={"generation": generation.number, "reason": reason},
    )


def _config(target: Target, generation: Generation) -> Path:
    found = [path for path in generation.files if path.startswith(f"{LITELLM}-") and path.endswith("/config.yaml")]
    return target.workspace.root / (found[0] if found else "missing")


def _rendered(target: Target, generation: Generation, stack: Stack) -> Rendered:
    # How the edge is configured follows what runs; this is for a stack without any.
    files = beginning_edge(stack)
    folders: dict[str, dict[str, str]] = {}
    for path in generation.files:
        try:
            text = (target.workspace.root / path).read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise refusal(generation, f"its file {path} is gone") from error
        files.append(RenderedFile(path, text, secret="-secrets-" in path))
        folder, _, name = path.partition("/")
        folders.setdefault(folder, {})[name] = text
    for folder, content in folders.items():
        # A folder is named after its content.
        if not folder.endswith(f"-{digest(stack, content)}"):
            raise refusal(generation, f"what is in {target.workspace.root / folder} was changed since")
    return Rendered((*files, RenderedFile("compose.yaml", generation.compose)), dict(generation.hashes))
