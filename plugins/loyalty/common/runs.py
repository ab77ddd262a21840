"""What ran and how it ended, remembered in the ledger; published as dq__runs and read by alerts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger


@dataclass
class Run:
    """A run under way; what it finds out (build_id, generation, outcome, message) is put here."""

    run_id: str
    found: dict[str, Any] = field(default_factory=dict)


@contextmanager
def recorded_run(ledger: Ledger, kind: str) -> Iterator[Run]:
    """Record a run of this kind with its end: `done`, or `failed` and the sentence of the error."""
    started_at = datetime.now(UTC)
    run = Run(f"{kind}-{started_at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}")
    outcome, message = "failed", "interrupted"
    try:
        yield run
        outcome, message = run.found.pop("outcome", "done"), run.found.pop("message", "")
    except UserError as error:
        message = str(error)
        raise
    except Exception as error:
        message = f"unexpected error {type(error).__name__}; see the log"
        raise
    finally:
        ledger.append(
            "run",
            run_id=run.run_id,
            run_kind=kind,
            started_at=started_at.isoformat(),
            outcome=outcome,
            message=message,
            **run.found,
        )


def failed_runs(ledger: Ledger) -> list[tuple[str, str]]:
    """Of builds and publishes, those whose newest run failed, with the sentence."""
    runs = ledger.last_runs()
    return [
        (kind, runs[kind].data["message"])
        for kind in ("build", "publish")
        if kind in runs and runs[kind].data["outcome"] == "failed"
    ]
