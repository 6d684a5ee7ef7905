"""A stack directory, read as a whole: settings, keys, provider config, what is remembered."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aiinfra import certificates, disk, edge_config, images, keys, naming, rendering, workspace
from aiinfra.certificates import Certificate
from aiinfra.engine import Compose, Container, Volume
from aiinfra.errors import AiinfraError, Code
from aiinfra.rendering import DIRECTORY_LABEL, Rendered, render
from aiinfra.stack import BUILT, EDGE, REDIS, Stack, wanted_ports
from aiinfra.workspace import State, Workspace

if TYPE_CHECKING:
    from aiinfra.providers import ProviderConfig
    from aiinfra.settings import Settings


@dataclass(frozen=True)
class Target:
    """Which stack a command is about: its directory, settings and name. Nothing else is read yet."""

    directory: Path
    name: str

    @cached_property
    def settings(self) -> "Settings":
        from aiinfra import settings  # noqa: PLC0415 - pydantic takes longer than all that `ps` does

        return settings.load(self.directory)

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace(self.directory, self.name)

    @property
    def compose(self) -> Compose:
        return Compose(self.name, self.workspace.compose_file)

    @property
    def keys_file(self) -> str:
        return keys.file_for(self.directory, self.name).name

    def refuse_elsewhere(self, found: Sequence[Container | Volume]) -> None:
        """Raise STACK_ELSEWHERE when something of this name is another directory's, or no stack of ours.

        A directory that is no longer there was moved: what was its is now that of whoever has its files.
        """
        for one in found:
            owner = one.labels.get(DIRECTORY_LABEL, "")
            moved = bool(owner) and not workspace.Workspace(Path(owner), self.name).state_file.exists()
            if owner != str(self.directory) and not moved:
                whose = f"the directory {owner}" if owner else "a Compose project that aiinfra did not make"
                raise AiinfraError(
                    Code.STACK_ELSEWHERE,
                    f"the stack '{self.name}' belongs to {whose}",
                    hint=f"use `-C {shlex.quote(owner)}`, or another name here: `--stack NAME`"
                    if owner
                    else "use another name: `--stack NAME`",
                    details={"stack": self.name, "directory": owner},
                )


@dataclass(frozen=True)
class Loaded:
    """A target with everything read and checked.

    `replaced_images` run in place of what we would build. `kept_files` and `kept_images` are those of a generation
    that comes back, in place of what the settings mean.
    """

    target: Target
    stack: Stack
    values: Mapping[str, str]
    provider: "ProviderConfig"
    state: State
    replaced_images: Mapping[str, str] = field(default_factory=dict)
    kept_files: Rendered | None = None
    kept_images: Mapping[str, str] | None = None

    @cached_property
    def builds(self) -> tuple[images.ImageBuild, ...]:
        wanted = [service for service in BUILT if service not in self.replaced_images]
        return tuple(images.image_build(service, self.stack.settings.build) for service in wanted)

    @property
    def images(self) -> Mapping[str, str]:
        """The tags of our own images, by service."""
        return {**{build.service: build.tag for build in self.builds}, **self.replaced_images}

    @property
    def service_images(self) -> Mapping[str, str]:
        """The image that each service runs."""
        if self.kept_images is not None:
            return self.kept_images
        bases = dict(zip((REDIS, EDGE), self.stack_images, strict=True))
        return {**bases, **self.images}

    @property
    def stack_images(self) -> tuple[str, ...]:
        """The images that containers run as they are, without a build of ours."""
        return rendering.base_images(self.stack.settings.build)

    @cached_property
    def rendered(self) -> Rendered:
        if self.kept_files is not None:
            return self.kept_files
        return render(
            self.stack,
            self.values,
            self.provider,
            images=self.images,
            root=self.target.workspace.root,
            user=disk.runtime_user(),
        )


def target(directory: Path, name: str | None) -> Target:
    """Read the settings of a stack directory, if there are any. Raises AiinfraError (exit 2 or 3)."""
    found = naming.DEFAULT_STACK if _says_nothing(directory / naming.FILE_NAME) else _stack_set(directory)
    if name is not None and not naming.STACK_NAME.fullmatch(name):
        raise AiinfraError(
            Code.USAGE,
            f"'{name}' is not a stack name",
            hint="use at most 41 of a-z, 0-9, '-' and '_', beginning with a letter or digit",
        )
    return Target(directory, name or found)


def _says_nothing(path: Path) -> bool:
    """Whether a settings file is missing, or has nothing but comments, as a new one does."""
    try:
        return all(not line.strip() or line.startswith("#") for line in path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        return False


def _stack_set(directory: Path) -> str:
    from aiinfra import settings  # noqa: PLC0415

    return settings.load(directory).stack


def active_config(found: "Settings", state: State | None) -> str:
    """Return the provider config that counts: what `use-config` chose, until aiinfra.yaml says something else."""
    choice = state.choice if state else {}
    chosen = choice.get("settings") == found.provider_config
    return choice["name"] if chosen and choice.get("name") else found.provider_config


def load(
    target: Target,
    generated: Mapping[str, str],
    *,
    provider_config: str | None = None,
    images: Mapping[str, str] | None = None,
    scale: Mapping[str, int] | None = None,
) -> Loaded:
    """Read and check keys, provider config and state. Raises AiinfraError (exit 3) before anything is touched.

    `generated` are keys that are not in .env yet, `provider_config` is one to load in place of the settings',
    `images` are tags to run in place of what we would build, and `scale` numbers of replicas, both by service.
    """
    from aiinfra import providers  # noqa: PLC0415 - not for commands that only look

    values = {**keys.load(target.directory, target.name), **generated}
    keys.check(values, target.keys_file, keys.of_callers(target.settings.services.mpc_api.keys))
    state = target.workspace.state()
    name = provider_config or active_config(target.settings, state)
    provider = providers.load(name, target.directory, values, target.settings.models)
    providers.check(provider, values, target.keys_file)
    _refuse_unknown_bases(target.settings)
    wanted = wanted_ports(target.name, target.settings)
    if state is None:
        state = State(workspace.new_identity(wanted, target.settings.ports.address))
    else:
        identity = workspace.with_ports(state.identity, wanted, target.settings.ports.address)
        state = replace(state, identity=identity)
    certificate = wanted_certificate(target)
    stack = Stack(target.name, target.directory, lambda: target.settings, state.identity, scale or {}, certificate)
    return Loaded(target, stack, values, provider, state, images or {})


def wanted_certificate(target: Target) -> Certificate | None:
    """Return what the settings name; one that no client would accept is refused unless it already serves."""
    tls = target.settings.tls
    if tls is None:
        return None
    cert, key = target.directory / tls.cert, target.directory / tls.key
    found = certificates.load(cert, key)
    serving = certificates.applied(target.workspace.root / edge_config.FOLDER / edge_config.PEM)
    if serving is None or serving.pem != found.pem:
        certificates.refuse_unusable(found, cert)
    return found


def _refuse_unknown_bases(found: "Settings") -> None:
    from aiinfra.settings import Build  # noqa: PLC0415

    known = {
        *rendering.base_images(Build()),
        *(base for name in BUILT for base in images.image_build(name, Build()).bases),
    }
    for image in found.build.base_images:
        if image not in known:
            raise AiinfraError(
                Code.SETTINGS_INVALID,
                f"{naming.FILE_NAME}: build.base_images: nothing builds on or runs '{image}'",
                hint=f"known: {', '.join(sorted(known))}; nothing was touched",
            )


def running(target: Target) -> Stack:
    """Return a stack as it was last applied. Raises NOT_RUNNING when it never was."""
    state = target.workspace.state()
    if state is None:
        raise AiinfraError(
            Code.NOT_RUNNING,
            f"the stack '{target.name}' was never started from {target.directory}",
            hint="start it: `aiinfra up`",
        )
    certificate = certificates.applied(target.workspace.root / edge_config.FOLDER / edge_config.PEM)
    return Stack(target.name, target.directory, lambda: target.settings, state.identity, certificate=certificate)
