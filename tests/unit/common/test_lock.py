"""One holder at a time; a process that cannot get the lock is shown the holder; a killed holder holds nothing."""

import os
import signal
import subprocess
import sys

import pytest

from loyalty.common.errors import LockBusy
from loyalty.common.lock import file_lock, holder_of

HOLD = """
import sys, time
from pathlib import Path
from loyalty.common.lock import file_lock
with file_lock(Path(sys.argv[1]), "build 7", 0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock until it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "work.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_is_shown_who_holds_it_and_since_when(tmp_path, holder):
    with (
        pytest.raises(LockBusy, match=rf"build 7.*process {holder.pid}.*since 20"),
        file_lock(tmp_path / "work.lock", "build 8", 0),
    ):
        pass
    assert holder_of(tmp_path / "work.lock")["pid"] == holder.pid


def test_second_goes_on_when_the_first_ends(tmp_path, holder):
    holder.communicate()
    with file_lock(tmp_path / "work.lock", "build 8", 0):
        assert holder_of(tmp_path / "work.lock")["pid"] == os.getpid()
    assert holder_of(tmp_path / "work.lock") is None


def test_killed_holder_holds_nothing(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with file_lock(tmp_path / "work.lock", "build 8", 0):
        pass


def test_no_one_holds_a_lock_that_was_never_taken(tmp_path):
    assert holder_of(tmp_path / "work.lock") is None
