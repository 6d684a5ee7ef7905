"""The text of a provider config, with the line of the user's file for each of its lines."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiinfra.bundle import templates
from aiinfra.errors import AiinfraError, Code
from aiinfra.models import Models
from aiinfra.providers.source import Source

if TYPE_CHECKING:
    from jinja2 import Template

# Private-use characters around a line number, put before each line of a template and taken out after rendering.
_MARK = "\ue000{}\ue001"
_MARKS = re.compile("\ue000([0-9]+)\ue001")


@dataclass(frozen=True)
class Text:
    """A config's text as LiteLLM would read it; `lines[i]` is the line of the file that line i + 1 comes from."""

    text: str
    lines: tuple[int, ...]

    def line(self, number: int) -> int:
        """Return the file's line for a line of the text, both counted from 1."""
        return self.lines[min(number, len(self.lines)) - 1] if self.lines else 1


def text_of(source: Source, values: Mapping[str, str], models: Models) -> Text:
    """Read a file, and render it when it is a template.

    A template sees `is_set(NAME)`, `models` and `quote(VALUE)`, and no value of a variable.
    Raises AiinfraError (PROVIDER_CONFIG_INVALID) with file, line and reason.
    """
    try:
        text = source.path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(source, 1, str(error)) from error
    if source.path.suffix != ".j2":
        return Text(text, tuple(range(1, text.count("\n") + 2)))
    present = frozenset(name for name, value in values.items() if value)
    try:
        rendered = _marked(text).render(is_set=present.__contains__, models=models, quote=_quote)
    except Exception as error:  # a template of the user can raise anything
        raise unreadable(source, _line_of(error), str(error)) from error
    return _unmarked(rendered)


def unreadable(source: Source, line: int, reason: str) -> AiinfraError:
    return AiinfraError(
        Code.PROVIDER_CONFIG_INVALID,
        f"{source.file}:{line}: {reason}",
        hint=f"edit {source.path}; nothing was touched",
        details={
            "provider_config": source.name,
            "faults": [{"file": source.file, "line": line, "path": "", "problem": reason, "severity": "error"}],
        },
    )


def _quote(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # JSON is YAML


def _marked(text: str) -> "Template":
    from jinja2 import nodes  # noqa: PLC0415 - not for --help

    tree = templates().parse(text)
    for data in tree.find_all(nodes.TemplateData):
        pieces = data.data.splitlines(keepends=True)
        data.data = "".join(_MARK.format(data.lineno + index) + piece for index, piece in enumerate(pieces))
    return templates().from_string(tree)


def _unmarked(rendered: str) -> Text:
    lines, line = [], 1
    for piece in rendered.split("\n"):
        marks = _MARKS.findall(piece)
        line = int(marks[0]) if marks else line
        lines.append(line)
        line = int(marks[-1]) if marks else line
    return Text(_MARKS.sub("", rendered), tuple(lines))


def _line_of(error: Exception) -> int:
    if isinstance(line := getattr(error, "lineno", None), int):
        return line
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
