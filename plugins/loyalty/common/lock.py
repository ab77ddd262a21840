"""One writer at a time: a lock on a file, held by the kernel, so that it dies with its holder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from loyalty.common.errors import LockBusy

POLL_SECONDS = 0.1


@contextmanager
def file_lock(file: Path, purpose: str, wait_seconds: float) -> Iterator[None]:
    """Hold `file` exclusively; the holder, the start and the reason are written into it.

    Raises LockBusy, naming the holder, when another process keeps it longer than `wait_seconds`.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, file, wait_seconds)
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "purpose": purpose,
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder_of(file: Path) -> dict[str, str] | None:
    """The holder of the lock as the lock file has it; None when it is free."""
    if not file.exists():
        return None
    with file.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                return json.loads(handle.read())
            except ValueError:
                return {}
    return None


def _acquire(descriptor: int, file: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockBusy(_sentence(file)) from None
            time.sleep(POLL_SECONDS)
        else:
            return


def _sentence(file: Path) -> str:
    holder = holder_of(file) or {}
    return (
        f"Another run ({holder.get('purpose', 'unknown')}) holds {file}: process {holder.get('pid', '?')} on "
        f"{holder.get('host', '?')}, since {holder.get('since', '?')}. Try again when it has ended; "
        "lock_wait_seconds sets how long to wait."
    )
