"""`init`: write what a stack directory starts from, and never over something that is there."""

from dataclasses import dataclass

from aiinfra import keys, workspace
from aiinfra.loading import Target
from aiinfra.rendering import env_file, settings_file
from aiinfra.settings import FILE_NAME


@dataclass(frozen=True)
class InitResult:
    directory: str
    written: tuple[str, ...]
    kept: tuple[str, ...]


def init(target: Target) -> InitResult:
    """Write aiinfra.yaml, .env (0600, with strong generated keys) and .gitignore where they are missing."""
    written, kept = [], []
    for name, text in ((FILE_NAME, settings_file()), (".gitignore", ".env\n.env.*\n.aiinfra/\n")):
        path = target.directory / name
        if path.exists():
            kept.append(name)
        else:
            workspace.write(path, text)
            written.append(name)
    (written if ensure_keys(target) else kept).append(target.keys_file)
    return InitResult(str(target.directory), tuple(written), tuple(kept))


def ensure_keys(target: Target) -> tuple[str, ...]:
    """Generate the stack's own keys that are missing from .env; returns their names.

    A file that is there keeps every line that it has; what is missing is added at its end.
    """
    path = keys.file_for(target.directory, target.name)
    values = keys.read(path)
    missing = keys.missing(values)
    if not missing:
        return ()
    generated = {key.name: key.generate() for key in missing}
    if not path.exists():
        text = env_file(target.name, generated)
    else:
        text = path.read_text(encoding="utf-8")
        text += "" if text.endswith("\n") or not text else "\n"
        text = _without_empty(text, set(generated))
        text += "".join(f"{name}={value}\n" for name, value in generated.items())
    workspace.write(path, text, mode=0o600)
    return tuple(generated)


def _without_empty(text: str, names: set[str]) -> str:
    # `NAME=` would be set a second time by the line that is added.
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if line.strip().partition("=")[0].removeprefix("export ") not in names)
