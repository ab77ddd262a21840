"""Places at which a test can kill the process, to prove that a rerun ends where an undisturbed run does."""

from __future__ import annotations

import os
import signal

VARIABLE = "LOYALTY_FAILPOINT"

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
FORGET_POINTS = (
    "forget.remembered",
    "forget.rewritten",
    "forget.recorded",
    "forget.removed",
)
ROTATE_POINTS = ("rotate.added", "rotate.rewritten", "rotate.recorded")
POINTS = BUILD_POINTS + PUBLISH_POINTS + FORGET_POINTS + ROTATE_POINTS


def hit(name: str) -> None:
    """Kill this process with SIGKILL when the environment names this point; otherwise do nothing."""
    if os.environ.get(VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
