"""The only module that prints: data to stdout, talk to stderr, as text for people or JSON for programs."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aiinfra.errors import AiinfraError

if TYPE_CHECKING:
    import rich.console
    from rich.live import Live

    from aiinfra.reporting import Event
    from aiinfra.views import LogLine

_STEP_WIDTH = 100


@dataclass
class Console:
    """Where a command's words and results go.

    `as_json` puts one object on stdout and keeps talk that a person would want off stderr.
    """

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    warnings: list[str] = field(default_factory=list)
    _live: "Live | None" = None
    _rows: "dict[str, Event]" = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)

    # Talk

    def report(self, event: "Event") -> None:
        """Show that something happened; on a terminal in a live view, elsewhere as a line."""
        if event.kind == "warning":
            self.warn(f"{event.subject}: {event.text}")
        elif event.kind == "note":
            self.say(f"{event.subject}: {event.text}")
        elif self._animated:
            self._began.setdefault(event.subject, time.monotonic())
            self._rows[event.subject] = event
            self._start_live()
        elif event.kind == "detail":
            self.say(f"{event.subject}: {event.text if self.verbose else event.text[:_STEP_WIDTH]}")
        else:
            took = "" if event.seconds is None else f" after {event.seconds:.1f} s"
            self.say(f"{event.subject}: {event.text}{took}")

    def say(self, text: str) -> None:
        if not self.quiet and not self.as_json:
            self._talk(text)

    def command(self, text: str) -> None:
        """Show a command that is being run, with --json too: it is talk."""
        self._talk(f"$ {text}", "dim")

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        if not self.as_json:
            self._talk(f"warning: {text}", "yellow")

    def notice(self, text: str) -> None:
        """Say something beside a stream of lines, which has no envelope for it."""
        if not self.quiet:
            self._talk(text, "yellow")

    def confirm(self, question: str, items: Sequence[str]) -> bool:
        """Show what it is about, and ask; anything but y or yes means no."""
        self.stop_live()
        for item in items:
            self._talk(f"  {item}")
        self._err.print(f"{question} [y/N] ", end="", highlight=False, markup=False)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    # Results

    def result(self, command: str, data: object, error: AiinfraError | None = None) -> None:
        """Write the JSON envelope; nothing without `--json`."""
        if self.as_json:
            from aiinfra.envelope import envelope  # noqa: PLC0415

            self._out_line(json.dumps(envelope(command, data, error, self.warnings), ensure_ascii=False))

    def failure(self, error: AiinfraError) -> None:
        """Show an error to a person: what happened, then what to do."""
        self.stop_live()
        if self.as_json:
            return
        self._talk(f"error: {error.message}", "red")
        if error.hint:
            self._talk(f"  {error.hint}")

    def line(self, text: str) -> None:
        if not self.as_json:
            self._out_line(text)

    def piece(self, text: str) -> None:
        """Write a piece of a line, as it comes."""
        if not self.as_json:
            sys.stdout.write(text)
            sys.stdout.flush()

    def json_line(self, data: object) -> None:
        from aiinfra.envelope import plain  # noqa: PLC0415

        self._out_line(json.dumps(plain(data), ensure_ascii=False))

    def log_line(self, line: "LogLine", *, whole_time: bool) -> None:
        from aiinfra.views import log_parts  # noqa: PLC0415

        parts = log_parts(line, whole_time=whole_time)
        if sys.stdout.isatty():
            from rich.text import Text  # noqa: PLC0415

            self._out.print(Text.assemble(*parts), soft_wrap=True)
        else:
            self._out_line("".join(text for text, _ in parts))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, optional: Sequence[str] = ()) -> None:
        """Print a table; on a narrow terminal `optional` columns are left out, the first of them first."""
        if self.as_json:
            return
        self.stop_live()
        from aiinfra.views import plain_table, table  # noqa: PLC0415

        if sys.stdout.isatty():
            self._out.print(table(columns, rows, self._out.width, optional))
        else:
            # A program or a file reads it: nothing to fit, nothing to colour, and rich need not be loaded.
            self._out_line(plain_table(columns, rows))

    # The live view

    def watched(
        self, headline: str, status: str, columns: Sequence[str], rows: Sequence[Sequence[object]], note: str
    ) -> bool:
        """Show one round of a watch in place of the one before; returns whether this terminal can do so."""
        if self.as_json or not self._can_animate(self._out):
            return False
        from rich.live import Live  # noqa: PLC0415

        from aiinfra.views import table, watched  # noqa: PLC0415

        body = table(columns, rows, self._out.width) if rows else None
        if self._live is None:
            self._live = Live(console=self._out, auto_refresh=False, transient=False)
            self._live.start()
        self._live.update(watched(self._out, headline, status, body, note), refresh=True)
        return True

    def stop_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._rows.clear()
            self._began.clear()

    def _talk(self, text: str, style: str = "") -> None:
        """Write a line to stderr; without rich, whose import takes its time, where nothing is coloured or moves."""
        if self._live is not None or (style and sys.stderr.isatty()):
            self._err.print(text, style=style, highlight=False, markup=False, soft_wrap=True)
            return
        # Nobody reads our talk: the work goes on.
        with contextlib.suppress(BrokenPipeError):
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    @property
    def _animated(self) -> bool:
        return not self.quiet and not self.as_json and self._can_animate(self._err)

    def _can_animate(self, output: "rich.console.Console") -> bool:
        able = output.is_terminal and not output.is_dumb_terminal
        return able and not os.environ.get("CI") and not self._plain

    def _start_live(self) -> None:
        if self._live is None:
            from rich.live import Live  # noqa: PLC0415

            self._live = Live(console=self._err, refresh_per_second=8, get_renderable=self._view)
            self._live.start()

    def _view(self) -> Any:  # noqa: ANN401 - a rich renderable
        from rich.spinner import Spinner  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=1)
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, min_width=len("000.0 s"))
        grid.add_column(no_wrap=True, overflow="ellipsis")
        for subject, event in self._rows.items():
            done = event.kind == "done"
            if subject not in self._spinners:
                self._spinners[subject] = Spinner("dots" if self._unicode else "line")
            mark = Text("✓" if self._unicode else "*", style="green") if done else self._spinners[subject]
            elapsed = time.monotonic() - self._began[subject]
            seconds = elapsed if event.seconds is None and not done else event.seconds
            took = "" if seconds is None else f"{seconds:.1f} s"
            grid.add_row(mark, Text(subject, style="bold"), Text(took, justify="right"), Text(event.text))
        return grid

    @cached_property
    def _spinners(self) -> dict[str, Any]:
        return {}

    @property
    def _unicode(self) -> bool:
        return self._err.encoding.startswith("utf")

    @property
    def _plain(self) -> bool:
        return self.no_color or bool(os.environ.get("NO_COLOR"))

    @cached_property
    def _err(self) -> "rich.console.Console":
        return _rich(stderr=True, plain=self._plain)

    @cached_property
    def _out(self) -> "rich.console.Console":
        return _rich(stderr=False, plain=self._plain)

    @staticmethod
    def _out_line(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _rich(*, stderr: bool, plain: bool) -> "rich.console.Console":
    from rich.console import Console as RichConsole  # noqa: PLC0415

    class Output(RichConsole):
        def on_broken_pipe(self) -> None:
            # rich would exit with 1. Nobody reads our talk: the work goes on. Nobody reads our data: it ends.
            if not self.stderr:
                raise BrokenPipeError

    # A pipe has no width: long values must not be folded for it.
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 250
    return Output(stderr=stderr, no_color=plain, width=width, emoji=False, soft_wrap=False)
