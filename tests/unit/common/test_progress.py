"""Progress: plain lines in a log, a bar in a terminal, and how many of how many in both."""

from __future__ import annotations

import io

from loyalty.common.progress import Progress, TerminalProgress, progress_on


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_for_each_step_with_its_number_and_the_total() -> None:
    lines: list[str] = []
    with Progress(lines.append).steps("orders", 2, seconds_between=0) as steps:
        steps.next("a.csv")
        steps.next("b.csv")
    assert lines == ["orders: 1 of 2, a.csv", "orders: 2 of 2, b.csv"]


def test_a_total_may_become_known_on_the_way() -> None:
    lines: list[str] = []
    with Progress(lines.append).steps("dbt", seconds_between=0) as steps:
        steps.next("seed")
        steps.total = 3
        steps.next("model")
    assert lines == ["dbt: 1, seed", "dbt: 2 of 3, model"]


def test_fast_steps_write_no_line() -> None:
    lines: list[str] = []
    with Progress(lines.append).steps("dbt", 2) as steps:
        steps.next("model")
    assert lines == []


def test_a_file_gets_lines_and_a_terminal_a_bar() -> None:
    file, terminal = io.StringIO(), Terminal()
    assert type(progress_on(file)) is Progress
    progress = progress_on(terminal)
    assert isinstance(progress, TerminalProgress)
    progress.log("满意 [not markup]")
    with progress.steps("copy", 40) as steps:
        for number in range(40):
            steps.next(f"table {number}")
    assert terminal.getvalue().startswith("满意 [not markup]\n")
    assert "40/40" in terminal.getvalue()
    progress_on(file).log("done")
    assert file.getvalue() == "done\n"
    assert progress_on(file).width is None
