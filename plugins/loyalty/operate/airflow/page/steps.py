"""What the page shows of a workspace, and the two steps that can be taken from there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from loyalty.build.plan import make_plan
from loyalty.common.errors import UserError
from loyalty.common.workspace import Workspace
from loyalty.land.quarantine import open_entries
from loyalty.land.release import release
from loyalty.operate.publishing import rollback
from loyalty.operate.status import attention, feed_states, load_states
from loyalty.publish.generations import (
    REPORT,
    current_generation,
    damaged_generations,
    generations,
    require_current,
)

# A sentence of ours, and what it is filled with; the page says it in the reader's language.
Sentence = tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """Something that changes what readers see: what will happen, and what does it; this returns what has happened."""

    title: Sentence
    will_happen: list[Sentence]
    button: str
    seen: str  # equal as long as what was shown is still so
    do: Callable[[], list[Sentence]]


def state(workspace: Workspace, now: datetime) -> dict[str, Any]:
    """What the page shows of the workspace."""
    settings = workspace.settings
    current = current_generation(settings)
    feeds = sorted(feed_states(workspace, now), key=lambda feed: not (feed.is_late or feed.message))
    return {
        "name": settings.workspace.name,
        "current": current,
        "has_report": current is not None and (current.folder / REPORT).is_file(),
        "attention": attention(workspace, feeds),
        "plan": make_plan(workspace),
        "feeds": [(feed, age(now - feed.last_accepted) if feed.last_accepted else "") for feed in feeds],
        "loads": load_states(workspace),
        "withheld": current.withheld if current else [],
        "generations": generations(settings)[::-1],
        "damaged": [folder.name for folder in damaged_generations(settings)],
    }


def age(time: timedelta) -> str:
    """How long ago, in minutes, hours or days."""
    minutes = max(int(time.total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def release_step(workspace: Workspace, load_id: str) -> Step:
    """The release of the open rows of a load, as they are. UserError when it has none."""
    rows = open_entries(workspace, load_id)
    if not rows:
        raise UserError(f"Load {load_id}: no row is open any more; `loyalty quarantine show {load_id}` shows why.")
    lines = sorted({entry.line for entry in rows})
    rules = ", ".join(sorted({entry.rules for entry in rows}))

    def do() -> list[Sentence]:
        released = release(workspace, load_id, lines)
        return [
            ("Rows released as load {1}: {0}.", f"{released.row_count:,}", released.load_id),
            ("The next run of the DAG `build_marts` builds with them.",),
        ]

    return Step(
        ("Release the rows of load {0}", load_id),
        [
            (
                "Rows of {1} (feed {2}) in quarantine by {3}: {0}.",
                f"{len(rows):,}",
                rows[0].file,
                rows[0].feed_name,
                rules,
            ),
            (
                "They are landed as they are, as a load of their own. The rules are not checked again: you decide that "
                "they were wrong about these rows.",
            ),
            ("Readers see them after the next run of `build_marts`. `loyalty withdraw` takes the new load out again.",),
            ("To correct rows first: `loyalty quarantine export {0} rows.csv`.", load_id),
        ],
        "Release",
        hashlib.sha256(repr(lines).encode()).hexdigest(),
        do,
    )


def rollback_step(workspace: Workspace, number: str) -> Step:
    """To show readers another generation. UserError when there is no such one, or they see it already."""
    settings = workspace.settings
    current = require_current(settings)
    known = {str(one.number): one for one in generations(settings)}
    if number not in known:
        raise UserError(f"There is no generation {number}; there are: {', '.join(known)}.")
    target = known[number]
    if target.number == current.number:
        raise UserError(f"Readers see generation {current.name} already.")

    def do() -> list[Sentence]:
        return [
            ("Readers see generation {0} now.", rollback(workspace, target.number).name),
            ("Publishing is stopped until `loyalty publish --resume`.",),
        ]

    return Step(
        ("Show readers generation {0}", target.name),
        [
            (
                "Readers see generation {0} (data up to {1}) instead of {2} (data up to {3}), at once.",
                target.name,
                target.manifest["as_of"],
                current.name,
                current.manifest["as_of"],
            ),
            ("Publishing is stopped until `loyalty publish --resume`, so that the next run does not undo this.",),
            ("The builds of newer generations are not published again: the next run builds anew.",),
        ],
        "Roll back",
        current.name,
        do,
    )


STEPS: dict[str, Callable[[Workspace, str], Step]] = {"release": release_step, "rollback": rollback_step}
