"""Killing a step of the pipeline at a fail-point, or letting it hang there, in a process that is warm already.

A fork server imports what the steps need once; each kill then costs no more than the step itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from loyalty.common import failpoints

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "worlds.one_mart",
        "loyalty.operate.erase",
        "loyalty.operate.rotate",
        "loyalty.operate.nightly",
        "great_expectations",
        "dbt.cli.main",
        "dbt.adapters.duckdb",
    ]
)


def start(step: Callable[..., Any], *arguments: Any, point: str = "") -> BaseProcess:
    """Start a step (a function that can be imported) in a process of its own."""
    process = _SERVER.Process(target=_run, args=(step, arguments, point))
    process.start()
    return process


def kill_at(point: str, step: Callable[..., Any], *arguments: Any) -> None:
    """Run a step that is killed at the point; an AssertionError when it never came there."""
    process = start(step, *arguments, point=point)
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"never came to {point}: exit code {process.exitcode}"


def is_hanging(pid: int) -> bool:
    """Whether a process hangs at its fail-point: it listens for the signal to go on; one that is gone does not."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    (caught,) = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(caught >> (failpoints.GO_ON - 1) & 1)


def _run(step: Callable[..., Any], arguments: tuple[Any, ...], point: str) -> None:
    os.environ[failpoints.VARIABLE] = point
    step(*arguments)
