"""A stack directory, read as a whole: settings, keys, provider config, what is remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from aiinfra import certificates, disk, edge_config, images, keys, naming, rendering, workspace
from aiinfra.certificates import Certificate
from aiinfra.errors import AiinfraError, Code
from aiinfra.rendering import Rendered, render
from aiinfra.stack import BUILT, EDGE, REDIS, Stack, wanted_ports
from aiinfra.state import State
from aiinfra.target import Target

if TYPE_CHECKING:
    from aiinfra.providers import ProviderConfig
    from aiinfra.settings import Settings


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
