"""What people did between two builds that can change figures, worked out from the ledger.

Publishing writes it into the manifest of the new generation, because readers never open the ledger. Each item has a
`kind` and what is particular to it: numbers, feeds, files, rules and settings, never a person. The sentence of each
kind is in `loyalty.read.handled_sentences`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from loyalty.build.plan import build_of
from loyalty.common.ledger import Event, Ledger, Load
from loyalty.publish.generations import Generation

Item = dict[str, Any]
KINDS = ("release", "withdraw", "delivery", "forget", "rekey")


def handled(ledger: Ledger, build_id: str, before: Generation | None) -> list[Item] | None:
    """What was done between the build of the generation before and this one, in the order of KINDS.

    None where there is no generation before, or the ledger does not know one of the two builds.
    """
    now = build_of(ledger, build_id)
    then = build_of(ledger, before.manifest["build_id"]) if before else None
    if before is None or then is None or now is None:
        return None
    since = then.data["ledger_seq"]
    events: dict[str, list[Event]] = defaultdict(list)
    for event in ledger.events(*KINDS, after=since):
        if event.seq <= now.data["ledger_seq"]:
            events[event.kind].append(event)
    return [
        *_released(events["release"]),
        *_withdrawn(ledger, events["withdraw"]),
        *_delivered_again(ledger, events["delivery"], since),
        *_rewritten(events),
        *_rolled_back(ledger, before),
        *_decided(then.data, now.data),
    ]


def _released(events: Iterable[Event]) -> Iterator[Item]:
    """Rows released from quarantine, as they are or corrected, by feed and rules."""
    found: dict[tuple[str, str, tuple[str, ...]], list[Event]] = defaultdict(list)
    for event in events:
        kind = "corrected" if event.data.get("is_corrected") else "released"
        found[kind, event.data["feed_name"], tuple(event.data.get("rules", []))].append(event)
    for (kind, feed, rules), same in found.items():
        yield {
            "kind": kind,
            "feed": feed,
            "rows": sum(event.data["row_count"] for event in same),
            "files": _files(event.data["file"] for event in same),
            "rules": list(rules),
        }


def _withdrawn(ledger: Ledger, events: list[Event]) -> Iterator[Item]:
    """Loads that no longer count, or count again; without those for which the second step undid the first."""
    by_load: dict[str, list[bool]] = defaultdict(list)
    for event in events:
        by_load[ledger.successor(event.data["load_id"])].append(event.data["is_undone"])
    if not by_load:
        return
    known = {load.load_id: load for load in ledger.accepted_loads()} | ledger.withdrawn_loads()
    found: dict[tuple[str, str], list[Load]] = defaultdict(list)
    for load_id, undone in by_load.items():
        if load_id in known and undone[0] == undone[-1]:
            concerned = [one for one in known.values() if load_id in (one.load_id, one.released_from)]
            found["brought_back" if undone[-1] else "withdrawn", known[load_id].feed_name] += concerned
    for (kind, feed), loads in found.items():
        yield _loads_item(kind, feed, [(load.data["file"], load.row_count) for load in loads])


def _delivered_again(ledger: Ledger, events: Iterable[Event], since: int) -> Iterator[Item]:
    """Files read again with another mapping, and files for days that the generation before had already."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    accepted = [event.data for event in events if event.data["outcome"] == "accepted"]
    newest_of = {feed: ledger.newest_version_until(feed, since) for feed in {data["feed_name"] for data in accepted}}
    for data in accepted:
        newest = newest_of[data["feed_name"]]
        is_restated = bool(data.get("version_at") and newest and data["version_at"] <= newest)
        kind = "read_again" if data.get("supersedes") else "restated" if is_restated else ""
        if kind:
            found[kind, data["feed_name"]].append((data["file"], data["row_count"]))
    for (kind, feed), files in found.items():
        yield _loads_item(kind, feed, files)


def _rewritten(events: dict[str, list[Event]]) -> Iterator[Item]:
    """People who were forgotten, and keys that were rotated; a step that was run again after a kill is one."""
    forgotten = [event for event in events["forget"] if event.data["rewritten"] and event.data.get("receipt")]
    redacted = [event for event in events["forget"] if event.data["rewritten"] and not event.data.get("receipt")]
    rotated = [event for event in events["rekey"] if event.data["rewritten"]]
    if forgotten:
        yield {"kind": "forgotten", "people": len(forgotten), "loads": _rewritten_loads(forgotten)}
    if redacted:
        yield {"kind": "redacted", "loads": _rewritten_loads(redacted)}
    if rotated:
        yield {"kind": "key_rotated", "loads": _rewritten_loads(rotated)}


def _rolled_back(ledger: Ledger, before: Generation) -> Iterator[Item]:
    """The rollbacks since the generation before was first published."""
    published = [event.seq for event in ledger.events("publish") if event.data["generation"] == before.number]
    for event in ledger.events("rollback", after=min(published, default=ledger.last_seq())):
        if event.data.get("from_generation") is not None:
            yield {
                "kind": "rolled_back",
                "generation": event.data["generation"],
                "instead_of": event.data["from_generation"],
            }


def _decided(then: dict[str, Any], now: dict[str, Any]) -> Iterator[Item]:
    """Other settings, code and as-of date of the two builds."""
    before, after = then.get("chosen", {}), now.get("chosen", {})
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield {"kind": "setting", "name": name, "before": before.get(name), "now": after.get(name)}
    if then["code_version"] != now["code_version"]:
        yield {"kind": "code"}
    if now["is_as_of_given"] and now["as_of"] != then["as_of"]:
        yield {"kind": "as_of", "day": now["as_of"]}


def _loads_item(kind: str, feed: str, files: list[tuple[str, int]]) -> Item:
    """Loads of a feed: each with its file and rows."""
    return {
        "kind": kind,
        "feed": feed,
        "loads": len(files),
        "rows": sum(rows for _, rows in files),
        "files": _files(name for name, _ in files),
    }


def _files(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _rewritten_loads(events: Iterable[Event]) -> int:
    return sum(len(event.data["rewritten"]) for event in events)
