"""Places at which a test can kill the process or let it hang, to prove that a rerun ends as an undisturbed run."""

from __future__ import annotations

import os
import signal
import threading

VARIABLE = "LOYALTY_FAILPOINT"
HANG = "hang:"  # before a point's name: the process hangs there until it is sent GO_ON
GO_ON = signal.SIGCONT

LAND_POINTS = (
    "land.pulled",
    "land.opened",
    "land.written",
    "land.checked",
    "land.quarantined",
    "land.described",
    "land.renamed",
    "land.corrected",
    "land.recorded",
)
REJECT_POINTS = ("land.rejecting", "land.rejected", "land.reject_recorded")
RELEASE_POINTS = ("release.renamed", "release.recorded")
BUILD_POINTS = (
    "build.locked",
    "build.registered",
    "build.core_built",
    "build.estimated",
    "build.marts_built",
    "build.stamped",
    "build.recorded",
)
PUBLISH_POINTS = (
    "publish.locked",
    "publish.cleared",
    "publish.staging_made",
    "publish.copied",
    "publish.exported",
    "publish.audited",
    "publish.manifest_written",
    "publish.synced",
    "publish.renamed",
    "publish.linked",
    "publish.recorded",
    "publish.pruned",
)
ROLLBACK_POINTS = ("rollback.recorded",)
FORGET_POINTS = (
    "forget.remembered",
    "forget.rewritten",
    "forget.recorded",
    "forget.removed",
)
ROTATE_POINTS = ("rotate.added", "rotate.rewritten", "rotate.recorded")
TASK_POINTS = ("plan.made", "notify.sent", "prune.removed")
POINTS = (
    *LAND_POINTS,
    *REJECT_POINTS,
    *RELEASE_POINTS,
    *BUILD_POINTS,
    *PUBLISH_POINTS,
    *ROLLBACK_POINTS,
    *FORGET_POINTS,
    *ROTATE_POINTS,
    *TASK_POINTS,
)


def failpoint(name: str) -> None:
    """Kill this process with SIGKILL, or let it hang, when the environment names this point; otherwise do nothing."""
    wanted = os.environ.get(VARIABLE)
    if wanted == name:
        os.kill(os.getpid(), signal.SIGKILL)
    elif wanted == f"{HANG}{name}":
        _hang()


def _hang() -> None:
    """Wait for GO_ON. (A process that is stopped instead gets SIGHUP from the kernel when its supervisor dies.)"""
    is_sent = threading.Event()
    signal.signal(GO_ON, lambda *_: is_sent.set())
    is_sent.wait()
