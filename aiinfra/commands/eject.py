"""`eject`: the stack as a directory of its own, which plain Docker Compose runs."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aiinfra import disk
from aiinfra.commands.init import missing_keys
from aiinfra.ejecting import README, ejected
from aiinfra.errors import AiinfraError, Code
from aiinfra.images import build_secrets, context_files
from aiinfra.loading import Loaded, load
from aiinfra.stack import LITELLM, MPC_API
from aiinfra.target import Target


@dataclass(frozen=True)
class EjectResult:
    """`running` is the command that starts it; `keys_generated` are keys that only the new directory has."""

    stack: str
    directory: str
    files: tuple[str, ...]
    keys_generated: tuple[str, ...]
    running: str


def eject(target: Target, directory: Path) -> EjectResult:
    """Write a self-contained directory: compose file, configs, secrets and build folders; asks no engine.

    Raises AiinfraError: USAGE for a directory that is not empty, exit 3 for what `up` would refuse.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise AiinfraError(
            Code.USAGE, f"{directory} is not an empty directory", hint="name one that is empty, or does not exist yet"
        )
    generated = missing_keys(target)
    loaded = load(target, generated)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=directory.parent, prefix=".aiinfra-eject-"))
    except OSError as error:
        raise disk.unwritable(directory, error) from error
    try:
        _write(loaded, temporary)
        temporary.rename(directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    files = tuple(sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()))
    return EjectResult(target.name, str(directory), files, tuple(generated), "docker compose up --wait")


def _write(loaded: Loaded, root: Path) -> None:
    secrets = build_secrets(loaded.stack.settings.build, loaded.target.directory)
    builds = {build.service: build for build in loaded.builds}
    disk.write_files(root, ejected(loaded.rendered, builds, secrets))
    for build in builds.values():
        for path in context_files(build.context):
            copy = root / "services" / build.service / path.relative_to(build.context)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    urls = {service: loaded.stack.endpoint(service).url for service in (LITELLM, MPC_API)}
    text = README.format(
        stack=loaded.stack.name, litellm=urls[LITELLM], mpc_api=urls[MPC_API], user=disk.runtime_user()
    )
    disk.write(root / "README.md", text)
    os.sync()
