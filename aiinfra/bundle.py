"""The bundled `templates/` and `services/`: inside the wheel, or in a checkout."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "bundled"
_ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent

TEMPLATES = _ROOT / "templates"
SERVICES = _ROOT / "services"


def folders() -> tuple[Path, ...]:
    """Return the folders that hold all of our own files, the code too."""
    return (_PACKAGE,) if _ROOT is _INSTALLED else (_PACKAGE, TEMPLATES, SERVICES)


@cache
def templates() -> "Environment":
    """Return the one Jinja environment: a missing name is an error, whole-line tags leave no blank lines."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - not for --help

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML and the like, no HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
