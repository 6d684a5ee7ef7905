"""Write docs/pictures/*.svg from what the commands really print in a terminal: `make pictures`."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.keyboard import Terminal, terminal

if TYPE_CHECKING:
    import pyte

AIINFRA = Path(sys.executable).parent / "aiinfra"
PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
STACK = f"pictures-{uuid.uuid4().hex[:8]}"
COLUMNS = 110
PATIENCE = 900.0
# Our own check has nothing against it; LiteLLM exits while it boots.
GROUP = "{group_name: a, models: [default], routing_strategy: least-busy}"
BROKEN = f"extends: mock\nrouter_settings: {{routing_groups: [{GROUP}, {GROUP}]}}\n"
# What pyte calls them, and what rich calls them.
COLOURS = {"brown": "yellow", "default": None}


def drawn(one: Terminal, columns: int) -> list[Text]:
    """The lines on a screen, with their colours; the empty ones at its end are left out."""
    screen = one.characters()
    lines = [line_of(screen.buffer[row], columns) for row in range(screen.lines)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return lines


def line_of(row: pyte.screens.StaticDefaultDict[int, pyte.screens.Char], columns: int) -> Text:
    cells = [row[column] for column in range(columns)]
    line = Text()
    # One piece for all characters of a style: the stack's name must be found in it, and a picture stays small.
    for (colour, bold), run in itertools.groupby(cells, lambda cell: (cell.fg, cell.bold)):
        style = Style(color=COLOURS.get(colour, colour), bold=bold)
        # Names of this run say nothing to a reader, and would change the file each time.
        text = "".join(cell.data for cell in run)
        line.append(text.replace(f".env.{STACK}", ".env").replace(STACK, "ai-infra"), style)
    line.rstrip()
    return line


def picture(name: str, directory: Path, *arguments: str, exit_code: int = 0) -> None:
    """Run a command in a terminal and keep what stands on its screen at the end."""
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR")}
    environment["AIINFRA_STACK"] = STACK
    with terminal([AIINFRA, *arguments], directory=directory, environment=environment, columns=COLUMNS, rows=60) as one:
        ended = one.wait(PATIENCE)
        if ended != exit_code:
            raise SystemExit(f"aiinfra {' '.join(arguments)} ended with {ended}:\n{one.screen()}")
        lines = drawn(one, COLUMNS)
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    console.print(Text(f"$ aiinfra {' '.join(arguments)}", style="bold"))
    for line in lines:
        console.print(line, soft_wrap=True)
    PICTURES.mkdir(exist_ok=True)
    text = console.export_svg(title=f"aiinfra {arguments[0]}", unique_id=name)
    (PICTURES / f"{name}.svg").write_text(text, encoding="utf-8")
    print(f"wrote docs/pictures/{name}.svg")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        settings, own = directory / "aiinfra.yaml", directory / "litellm"
        own.mkdir()
        (own / "broken.yaml").write_text(BROKEN, encoding="utf-8")
        settings.write_text("timeout: 900\nprovider_config: broken\n", encoding="utf-8")
        try:
            picture("up-fails", directory, "up", exit_code=1)
            end(directory)
            settings.write_text("timeout: 900\n", encoding="utf-8")
            picture("up", directory, "up")
            picture("health", directory, "health")
        finally:
            end(directory, "--volumes", "--yes")


def end(directory: Path, *options: str) -> None:
    command = [str(AIINFRA), "-s", STACK, "down", *options]
    subprocess.run(command, cwd=directory, check=True, capture_output=True)


if __name__ == "__main__":
    main()
