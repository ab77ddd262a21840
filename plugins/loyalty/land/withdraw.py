"""Taking a wrong load out of what counts, and bringing it back.

Nothing is removed: the ledger records that the load does not count, and the next build leaves it out.
"""

from __future__ import annotations

from dataclasses import dataclass

from loyalty.common.counted import counted
from loyalty.common.errors import UserError
from loyalty.common.ledger import Load
from loyalty.common.workspace import Workspace
from loyalty.pull.feeds import FeedConfig, load_feeds

SHORTEST_ID = 6


@dataclass(frozen=True)
class Withdrawal:
    """The loads that no longer count, or count again: the one that was named, and what was released from it."""

    loads: tuple[Load, ...]
    is_undone: bool

    @property
    def sentence(self) -> str:
        """What was done, and what to do next."""
        first, rows = self.loads[0], sum(load.row_count for load in self.loads)
        released = f" and {len(self.loads) - 1} released from it" if len(self.loads) > 1 else ""
        done = "counts again" if self.is_undone else "no longer counts"
        undo = "" if self.is_undone else f"; `loyalty withdraw {first.load_id} --undo` brings it back"
        return (
            f"load {first.load_id} of feed {first.feed_name} ({first.uri}){released} {done}, "
            f"{counted(rows, 'row')}{undo}. `loyalty run` builds and publishes without delay."
        )


def withdraw(workspace: Workspace, load_id: str, undo: bool = False) -> Withdrawal:
    """Take a load out of what counts, or bring it back with `undo`; the id may be cut to its first characters.

    Raises UserError for an unknown or ambiguous id, for a load that is out already, and for one that is not out.
    """
    ledger = workspace.ledger
    load = _chosen(ledger.accepted_loads(), load_id)
    is_out = load.load_id in ledger.withdrawn_loads()
    if is_out and not undo:
        raise UserError(f"Load {load.load_id} was withdrawn already; `--undo` brings it back.")
    if undo and not is_out:
        raise UserError(f"Load {load.load_id} is not withdrawn: it counts.")
    ledger.withdraw(load.load_id, undo)
    concerned = [one for one in ledger.accepted_loads() if load.load_id in (one.load_id, one.released_from)]
    return Withdrawal((load, *(one for one in concerned if one.load_id != load.load_id)), undo)


def _chosen(loads: list[Load], load_id: str) -> Load:
    found = [load for load in loads if load.load_id == load_id] or [
        load for load in loads if len(load_id) >= SHORTEST_ID and load.load_id.startswith(load_id)
    ]
    if len(found) != 1:
        why = f"{counted(len(found), 'load')} begin with it" if found else "no accepted load has this id"
        raise UserError(f"Load {load_id}: {why}; `loyalty loads` lists the loads with their ids.")
    return found[0]


def loads_without_their_feed(workspace: Workspace) -> list[str]:
    """Sentences about loads that still count although their feed has no YAML any more, or has another source now."""
    feeds = load_feeds(workspace.settings.feeds)
    gone: dict[str, int] = {}
    renamed: dict[tuple[str, str, str], int] = {}
    for total in workspace.ledger.load_totals():
        feed = feeds.get(total.feed_name)
        if feed is None:
            gone[total.feed_name] = gone.get(total.feed_name, 0) + total.count
        elif isinstance(feed, FeedConfig) and feed.source != total.source:
            key = (total.feed_name, total.source, feed.source)
            renamed[key] = renamed.get(key, 0) + total.count
    return [
        *(
            f"feed {name} has {counted(count, 'load')} in use, but there is no {name}.yml any "
            "more: put it back, or take them out with `loyalty withdraw`"
            for name, count in sorted(gone.items())
        ),
        *(
            f"feed {name} has {counted(count, 'load')} under the source {old}, and its YAML "
            f"says {new}: records that come again under the new name count twice; go back to `source: {old}`, or take "
            "the old loads out with `loyalty withdraw`"
            for (name, old, new), count in sorted(renamed.items())
        ),
    ]
