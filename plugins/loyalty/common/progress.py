"""How long work shows how far it is: lines in a log or a pipe, a bar in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

# Lines about fast steps come no closer together than this.
SECONDS_BETWEEN_LINES = 5.0


class Steps:
    """The steps of one piece of work; `total` may become known on the way."""

    def __init__(self, show: Callable[[Steps, str], None], total: int | None) -> None:
        self.show = show
        self.total = total
        self.count = 0

    def next(self, name: str) -> None:
        """Count one step and show its name."""
        self.count += 1
        self.show(self, name)


class Progress:
    """Plain lines for a log, a pipe or a test; `write` gets each of them."""

    def __init__(self, write: Callable[[str], None] | None = None) -> None:
        self.write = write or _print

    @property
    def width(self) -> int | None:
        """How many characters a line has room for; None where there is no end."""
        return None

    def log(self, text: str) -> None:
        """Write a line."""
        self.write(text)

    @contextmanager
    def steps(
        self, what: str, total: int | None = None, seconds_between: float = SECONDS_BETWEEN_LINES
    ) -> Iterator[Steps]:
        """Show the steps of long work as lines such as `dbt: 12 of 40, stg_orders`."""
        shown_at = time.monotonic()

        def show(steps: Steps, name: str) -> None:
            nonlocal shown_at
            if time.monotonic() - shown_at >= seconds_between:
                shown_at = time.monotonic()
                self.log(f"{what}: {steps.count}{f' of {steps.total}' if steps.total else ''}, {name}")

        yield Steps(show, total)


class TerminalProgress(Progress):
    """Lines for a terminal, and a bar below them while a piece of work has steps."""

    def __init__(self, screen: TextIO) -> None:
        from rich.console import Console  # only where there is a terminal: start-up stays short

        self.console = Console(file=screen, markup=False, emoji=False, highlight=False, soft_wrap=True)
        super().__init__(self.console.print)

    @property
    def width(self) -> int | None:
        """The terminal's width."""
        return self.console.width

    @contextmanager
    def steps(
        self, what: str, total: int | None = None, seconds_between: float = SECONDS_BETWEEN_LINES
    ) -> Iterator[Steps]:
        """Show the steps of long work as a bar, which goes when the work is done."""
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[step]}", markup=False),
        )
        options: dict[str, Any] = {"transient": True, "redirect_stdout": False, "redirect_stderr": False}
        with Bar(*columns, console=self.console, **options) as bar:
            task = bar.add_task(what, total=total, step="")
            yield Steps(
                lambda steps, name: bar.update(task, total=steps.total, completed=steps.count, step=name), total
            )


SILENT = Progress(lambda _: None)


def progress_on(screen: TextIO | None = None) -> Progress:
    """Progress for a stream (standard output unless given): a bar in a terminal, plain lines anywhere else."""
    screen = screen or sys.stdout
    if screen.isatty():
        return TerminalProgress(screen)
    return Progress(lambda text: print(text, file=screen, flush=True))


def _print(text: str) -> None:
    print(text, flush=True)
