"""What state the warehouse is in: its feeds, what is published, whether the bytes are those that were written."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loyalty import privacy, quarantine, warehouse
from loyalty.checksums import file_sha256
from loyalty.contract import load_contract
from loyalty.errors import UserError
from loyalty.feeds import BrokenFeed, FeedConfig, load_feeds
from loyalty.generations import MANIFEST
from loyalty.ledger import Event, Ledger, Load
from loyalty.lock import holder_of
from loyalty.settings import PRIVATE_UMASK, Settings

# What cannot be measured while a feed is missing, in the words of the metric pages.
LEFT_OUT: dict[str, str] = {
    "order_lines": "products and categories: wallet by category, margins by line",
    "refunds": "refunds: net revenue is gross less discounts",
    "products": "categories, brands and unit costs: profit is NULL",
    "customers": "age, region, acquisition and tenure before the data's start",
    "tickets": "complaints, their funnel and the cost of service",
    "survey_responses": "satisfaction, its drivers, stated wallets and the attitude half of loyalty",
    "survey_answers": "satisfaction, its drivers, stated wallets and the attitude half of loyalty",
    "survey_sends": "response rates and weights of the surveys",
    "survey_brand_ratings": "share of wallet by the Wallet Allocation Rule",
    "programme": "points, their liability and breakage",
    "memberships": "members against non-members",
    "campaigns": "campaign reach and return",
    "costs": "costs from pools: CM2 and CM3 hold recorded costs only",
    "referrals": "measured word of mouth",
    "contracts": "contractual retention",
    "panel_purchases": "market share and the brands' share of wallet",
    "fx_rates": "totals over several currencies",
}

ROOM_FACTOR = 3
LEAST_ROOM = 1_000_000_000
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)


@dataclass(frozen=True)
class FeedState:
    """One feed as the ledger knows it."""

    name: str
    group: str
    owner: str
    loads: int
    rows: int
    quarantined: int
    last_delivery: datetime | None
    last_accepted: datetime | None
    last_outcome: str
    is_late: bool
    message: str = ""


@dataclass(frozen=True)
class Check:
    """One thing that `doctor` looked at."""

    name: str
    is_well: bool
    found: str


def feed_states(settings: Settings, now: datetime | None = None) -> list[FeedState]:
    """Every feed of the registry, also the ones whose YAML is wrong or that never came."""
    now = now or datetime.now(UTC)
    ledger = Ledger(settings.ledger)
    loads, deliveries = ledger.loads(), ledger.events("delivery")
    held = [entry.feed_name for entry in quarantine.entries(settings, only_open=True)]
    states = []
    for name, feed in load_feeds(settings.feeds).items():
        mine = [load for load in loads if load.feed_name == name]
        came = [event for event in deliveries if event.data["feed_name"] == name]
        states.append(_state(feed, mine, came, held.count(name), now))
    return states


def _state(
    feed: FeedConfig | BrokenFeed, loads: list[Load], deliveries: list[Event], quarantined: int, now: datetime
) -> FeedState:
    last_accepted = max((load.received_at for load in loads), default=None)
    last = deliveries[-1] if deliveries else None
    is_broken = isinstance(feed, BrokenFeed)
    is_late = (
        isinstance(feed, FeedConfig)
        and feed.max_age_days is not None
        and last_accepted is not None
        and now - last_accepted > timedelta(days=feed.max_age_days)
    )
    refused = last.data.get("reason", "") if last and last.data["outcome"] == "rejected" else ""
    return FeedState(
        name=feed.name,
        group=feed.group,
        owner=feed.owner,
        loads=len(loads),
        rows=sum(load.row_count for load in loads),
        quarantined=quarantined,
        last_delivery=last.at if last else None,
        last_accepted=last_accepted,
        last_outcome="off" if is_broken else (last.data["outcome"] if last else "never came"),
        is_late=is_late,
        message=feed.message if isinstance(feed, BrokenFeed) else refused,
    )


def left_out(settings: Settings) -> list[tuple[str, str]]:
    """The canonical feeds that never came, with the metrics that this leaves out."""
    there = {load.feed for load in Ledger(settings.ledger).loads()}
    return [(feed, LEFT_OUT[feed]) for feed in load_contract() if feed in LEFT_OUT and feed not in there]


def verify(settings: Settings) -> list[str]:
    """What is not as it was written: one sentence per finding, none when all is well."""
    return [
        *_wrong_loads(settings),
        *_unknown_loads(settings),
        *_wrong_generations(settings),
        *_foreign_files(settings),
        *_little_room(settings),
    ]


def _wrong_loads(settings: Settings) -> Iterator[str]:
    """Parts of accepted loads against their manifests."""
    for load in Ledger(settings.ledger).loads():
        folder = settings.landing / load.feed / f"load_id={load.load_id}"
        try:
            manifest = json.loads((folder / "_manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            yield f"{folder}: the manifest of this accepted load is missing or damaged"
            continue
        listed = {part["name"]: part["sha256"] for part in manifest["parts"]}
        for name, sha256 in listed.items():
            yield from _wrong_file(folder / name, sha256)
        for file in sorted(folder.iterdir()):
            if file.name not in listed and file.name != "_manifest.json":
                yield f"{file}: its load's manifest does not list it"


def _unknown_loads(settings: Settings) -> Iterator[str]:
    """Landed folders that no delivery speaks of."""
    known = {
        event.data["load_id"]
        for event in Ledger(settings.ledger).events("delivery", "release")
        if "load_id" in event.data
    }
    for event in Ledger(settings.ledger).events("forget"):
        known |= set(event.data.get("rewritten", {}).values())
    for folder in sorted(settings.landing.glob("*/load_id=*")):
        if folder.name.removeprefix("load_id=") not in known:
            yield f"{folder}: the ledger knows no such load, so it is not read; load the feed again"


def _wrong_generations(settings: Settings) -> Iterator[str]:
    """Files of generations against their manifests, and manifests against the ledger."""
    recorded = {
        f"{event.data['generation']:06d}": event.data["manifest_sha256"]
        for event in Ledger(settings.ledger).events("publish")
    }
    for folder in sorted((settings.serve / "generations").glob("*")):
        file = folder / MANIFEST
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            yield f"{file} is missing or damaged: nobody can tell whether this generation is whole"
            continue
        if folder.name not in recorded:
            yield f"{folder}: the ledger knows no such generation; the next publish clears it up"
        elif file_sha256(file) != recorded[folder.name]:
            yield f"{file}: not as it was published"
        for name, expected in manifest["files"].items():
            yield from _wrong_file(folder / name, expected["sha256"])
    link = settings.serve / "current"
    if link.is_symlink() and not link.exists():
        yield f"{link} points at {link.readlink()}, which is gone: run `loyalty rollback GENERATION`"


def _foreign_files(settings: Settings) -> Iterator[str]:
    """Write-ahead logs beside published files (a client would replay them), and what killed runs left."""
    for wal in sorted(settings.serve.rglob("*.wal")):
        yield f"{wal}: a write-ahead log beside a published file is not ours, and a reader would replay it: remove it"
    for folder in sorted(settings.serve.glob(".staging-*")):
        yield f"{folder}: left by a killed publish; the next one clears it up"
    for draft in sorted(settings.landing.glob("*/.*")):
        yield f"{draft}: left by a killed load; housekeeping removes it after a day"


def _little_room(settings: Settings) -> Iterator[str]:
    size = settings.work_file.stat().st_size if settings.work_file.exists() else 0
    needed, free = max(ROOM_FACTOR * size, LEAST_ROOM), shutil.disk_usage(_existing(settings.home)).free
    if free < needed:
        yield f"{settings.home}: {free / 1e9:.1f} GB are free, a night may need {needed / 1e9:.1f} GB"


def _wrong_file(file: Path, sha256: str) -> Iterator[str]:
    if not file.is_file():
        yield f"{file} is missing"
    elif hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        yield f"{file}: its bytes are not those that were written"


def doctor(settings: Settings) -> list[Check]:
    """Look at what a night needs: Python, paths, room, rights, key, lock, feeds."""
    return [
        _python(),
        _writable(settings),
        Check("dbt project", (settings.dbt_project_dir / "dbt_project.yml").is_file(), str(settings.dbt_project_dir)),
        _feeds(settings),
        _room(settings),
        _rights(settings),
        _key(settings),
        _lock(settings),
        _held(settings),
    ]


def _python() -> Check:
    version = sys.version_info[:2]
    return Check(
        "Python", OLDEST_PYTHON <= version <= NEWEST_PYTHON, f"{platform.python_version()}, 3.11 to 3.13 are meant"
    )


def _writable(settings: Settings) -> Check:
    place = _existing(settings.home)
    return Check(
        "data",
        os.access(place, os.W_OK),
        f"{settings.home} ({'writable' if os.access(place, os.W_OK) else 'not writable'})",
    )


def _feeds(settings: Settings) -> Check:
    try:
        feeds = load_feeds(settings.feeds)
    except UserError as error:
        return Check("feeds", False, str(error))
    broken = [feed.message for feed in feeds.values() if isinstance(feed, BrokenFeed)]
    return Check("feeds", not broken and bool(feeds), "; ".join(broken) or f"{len(feeds)} in {settings.feeds}")


def _room(settings: Settings) -> Check:
    findings = list(_little_room(settings))
    free = shutil.disk_usage(_existing(settings.home)).free
    return Check("disk", not findings, findings[0] if findings else f"{free / 1e9:.1f} GB free")


def _rights(settings: Settings) -> Check:
    """Landing, quarantine, raw and private hold personal or raw data: for their owner alone."""
    folders = (settings.landing, settings.quarantine, settings.raw, settings.private, settings.work_file.parent)
    open_ones = [str(folder) for folder in folders if folder.exists() and folder.stat().st_mode & PRIVATE_UMASK]
    found = f"others can read {', '.join(open_ones)}: run chmod -R go= on them" if open_ones else "only the owner reads"
    return Check("umask", not open_ones, found)


def _key(settings: Settings) -> Check:
    file = privacy.key_file(settings)
    if not file.exists():
        return Check("key", True, f"{file} will be made at first use")
    try:
        key = privacy.load_key(settings)
    except UserError as error:
        return Check("key", False, str(error))
    kind = "the demo's public key: for the sample exports only" if privacy.is_demo_key(key) else "private"
    return Check("key", True, f"{file}, {kind}, mode {stat.S_IMODE(file.stat().st_mode):o}")


def _lock(settings: Settings) -> Check:
    holder = holder_of(warehouse.lock_file(settings))
    if holder is None:
        return Check("lock", True, "free")
    return Check(
        "lock", True, f"held by process {holder.get('pid')} since {holder.get('since')} ({holder.get('purpose')})"
    )


def _held(settings: Settings) -> Check:
    is_held = warehouse.is_held(Ledger(settings.ledger))
    return Check(
        "publishing", not is_held, "held since a rollback: `loyalty publish --resume`" if is_held else "not held"
    )


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
