"""The state of the warehouse: its feeds, and whether a nightly run would find all that it needs."""

from __future__ import annotations

import os
import platform
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from loyalty.build import plan, work_file
from loyalty.build.dbt_runner import wrong_vars
from loyalty.build.engines.spark import require_packages
from loyalty.common.errors import UserError
from loyalty.common.ledger import Event, Ledger, LoadTotal
from loyalty.common.lock import holder_of
from loyalty.common.runs import failed_runs
from loyalty.common.settings import PRIVATE_UMASK, WORKSPACE_FILE, Settings
from loyalty.common.workspace import Workspace
from loyalty.land import quarantine
from loyalty.land.loads import landed_folder, read_manifest
from loyalty.land.withdraw import loads_without_their_feed
from loyalty.operate.verify import existing, free_bytes, little_room
from loyalty.privacy import keys
from loyalty.publish.generations import current_generation
from loyalty.pull.contract import load_contract
from loyalty.pull.feeds import BrokenFeed, FeedConfig, load_feeds

# What cannot be measured while a feed is missing, in the words of the metric pages.
LEFT_OUT: dict[str, str] = {
    "order_lines": "products and categories: wallet by category, margins by line",
    "refunds": "refunds, except the returns among the orders (negative lines or totals, `kind: return`): net revenue "
    "is gross less discounts and these returns",
    "products": "categories, brands and unit costs: without `cost_amount` in order_lines, profit is NULL",
    "customers": "age, region, acquisition and tenure before the data's start",
    "tickets": "complaints, their funnel and the cost of service",
    "survey_responses": "satisfaction, its drivers, stated wallets and the attitude half of loyalty",
    "survey_answers": "satisfaction, its drivers, stated wallets and the attitude half of loyalty",
    "survey_sends": "response rates and weights of the surveys",
    "survey_brand_ratings": "share of wallet by the Wallet Allocation Rule",
    "programme": "points, their liability and breakage",
    "memberships": "members against non-members",
    "campaigns": "campaign reach and return",
    "costs": "costs from pools: CM2 and CM3 hold recorded costs, and activities at the assumed rates of the seed "
    "default_cost_rates (var assumed_cost_rates)",
    "referrals": "measured word of mouth",
    "contracts": "contractual retention",
    "panel_purchases": "market share and the brands' share of wallet",
    "fx_rates": "totals over several currencies",
}
# The same of costs where the workspace wants no assumed rates.
WITHOUT_ASSUMED_RATES = "costs from pools: CM2 and CM3 hold recorded costs only"

NEWEST_LOADS = 30
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)


@dataclass(frozen=True)
class FeedState:
    """The state of one feed, from the ledger."""

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
class LoadState:
    """An accepted load: its rows, those quarantined by rule, and those still open."""

    load_id: str
    feed_name: str
    file: str
    received_at: datetime
    rows: int
    rules: dict[str, int]
    open_rows: int
    is_withdrawn: bool

    @property
    def why(self) -> str:
        """The quarantined rows by rule."""
        return ", ".join(f"{rule} {count:,}" for rule, count in self.rules.items())


@dataclass(frozen=True)
class Check:
    """One thing that `doctor` looked at."""

    name: str
    is_well: bool
    found: str


def feed_states(workspace: Workspace, now: datetime | None = None) -> list[FeedState]:
    """Every feed of the registry, also the ones whose YAML is wrong or that never came."""
    now = now or datetime.now(UTC)
    settings, ledger = workspace.settings, workspace.ledger
    totals, errors = ledger.load_totals(now), ledger.feed_errors()
    held = [entry.feed_name for entry in quarantine.entries(workspace, only_open=True)]
    states = []
    for name, feed in load_feeds(settings.feeds).items():
        mine = [total for total in totals if total.feed_name == name]
        last = ledger.last_delivery(name)
        states.append(_state(feed, mine, last, errors.get(name, ""), held.count(name), now))
    return states


def load_states(workspace: Workspace, newest: int = NEWEST_LOADS) -> list[LoadState]:
    """The newest accepted loads and all with open rows, newest first."""
    ledger, settings = workspace.ledger, workspace.settings
    loads, withdrawn = ledger.accepted_loads(), ledger.withdrawn_loads()
    held = Counter(entry.load_id for entry in quarantine.entries(workspace, only_open=True))
    shown = [load for place, load in enumerate(loads[::-1]) if place < newest or load.load_id in held]
    states = []
    for load in shown:
        rules: dict[str, int] = {}
        with suppress(UserError):  # `status --verify` shows a damaged load
            rules = {
                rule["rule"]: rule["failed"]
                for rule in read_manifest(landed_folder(settings, load))["rules"]
                if rule["level"] == "row" and rule["severity"] == "critical" and rule["failed"]
            }
        states.append(
            LoadState(
                load.load_id,
                load.feed_name,
                load.uri.rpartition("/")[2],
                load.received_at,
                load.row_count,
                rules,
                held[load.load_id],
                load.load_id in withdrawn,
            )
        )
    return states


def _state(
    feed: FeedConfig | BrokenFeed,
    loads: list[LoadTotal],
    last: Event | None,
    error: str,
    quarantined: int,
    now: datetime,
) -> FeedState:
    last_accepted = max((total.last_received_at for total in loads), default=None)
    is_broken = isinstance(feed, BrokenFeed)
    is_late = (
        isinstance(feed, FeedConfig)
        and feed.max_age_days is not None
        and last_accepted is not None
        # the time of a delivery that lies in the future is wrong: it does not show that nothing is missing since
        and (now - last_accepted > timedelta(days=feed.max_age_days) or last_accepted > now + timedelta(days=1))
    )
    rejected = last.data.get("reason", "") if last and last.data["outcome"] == "rejected" else ""
    return FeedState(
        name=feed.name,
        group=feed.group,
        owner=feed.owner,
        loads=sum(total.count for total in loads),
        rows=sum(total.row_count for total in loads),
        quarantined=quarantined,
        last_delivery=last.at if last else None,
        last_accepted=last_accepted,
        last_outcome="disabled" if is_broken else "failed" if error else last.data["outcome"] if last else "never came",
        is_late=is_late,
        message=feed.message if isinstance(feed, BrokenFeed) else error or rejected,
    )


def attention(workspace: Workspace, states: list[FeedState]) -> list[str]:
    """What needs a person's attention although nothing is damaged: one sentence each."""
    late = [f"feed {state.name} is late; its owner is {state.owner}" for state in states if state.is_late]
    disabled = [state.message for state in states if state.last_outcome in ("disabled", "failed")]
    failed = [f"the last {kind} failed: {sentence}" for kind, sentence in failed_runs(workspace.ledger)]
    held = ["publishing is held since a rollback: `loyalty publish --resume`"] if plan.is_held(workspace.ledger) else []
    current = current_generation(workspace.settings)
    withheld = current.withheld if current else []
    strange = loads_without_their_feed(workspace)
    return [*late, *disabled, *failed, *held, *withheld, *strange]


def left_out(workspace: Workspace) -> list[tuple[str, str]]:
    """The canonical feeds that never came, with the metrics that this leaves out."""
    there = {total.feed for total in workspace.ledger.load_totals()}
    is_assumed = workspace.settings.vars.get("assumed_cost_rates", True)
    sentences = LEFT_OUT if is_assumed else LEFT_OUT | {"costs": WITHOUT_ASSUMED_RATES}
    return [(feed, sentences[feed]) for feed in load_contract() if feed in sentences and feed not in there]


def doctor(workspace: Workspace) -> list[Check]:
    """Check what a nightly run needs: Python, paths, room, rights, key, lock, feeds."""
    settings = workspace.settings
    return [
        _python(),
        _writable(settings),
        Check("dbt project", (settings.dbt_project_dir / "dbt_project.yml").is_file(), str(settings.dbt_project_dir)),
        _feeds(settings),
        _vars(settings),
        *_spark(settings),
        _room(settings),
        _rights(settings),
        _readers(settings),
        _key(settings),
        _lock(settings),
        _held(workspace.ledger),
    ]


def _python() -> Check:
    version = sys.version_info[:2]
    return Check(
        "Python", OLDEST_PYTHON <= version <= NEWEST_PYTHON, f"{platform.python_version()}, 3.11 to 3.13 are meant"
    )


def _writable(settings: Settings) -> Check:
    place = existing(settings.home)
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
    if not feeds:
        return Check(
            "feeds", False, f"none in {settings.feeds}: write one, or take `.example` off the name of one there"
        )
    return Check("feeds", not broken, "; ".join(broken) or f"{len(feeds)} in {settings.feeds}")


def _vars(settings: Settings) -> Check:
    wrong = wrong_vars(settings)
    return Check("vars", not wrong, "; ".join(wrong) or f"{len(settings.vars)} set in {WORKSPACE_FILE}")


def _spark(settings: Settings) -> Iterator[Check]:
    """Whether Spark could start; whether its cluster answers, only a build shows."""
    if settings.engine == "spark":
        warehouse = settings.spark_warehouse
        is_writable = os.access(existing(warehouse), os.W_OK)
        try:
            require_packages()
            found = f"{settings.spark.master}, warehouse {warehouse} ({'' if is_writable else 'not '}writable)"
            yield Check("spark", is_writable, found)
        except UserError as error:
            yield Check("spark", False, str(error))


def _room(settings: Settings) -> Check:
    findings = [str(finding) for finding in little_room(settings)]
    return Check("disk", not findings, findings[0] if findings else f"{free_bytes(settings) / 1e9:.1f} GB free")


def _rights(settings: Settings) -> Check:
    """Landing, quarantine, raw and private hold personal or raw data: for their owner alone."""
    folders = (settings.landing, settings.quarantine, settings.raw, settings.private, settings.work_file.parent)
    open_ones = [str(folder) for folder in folders if folder.exists() and folder.stat().st_mode & PRIVATE_UMASK]
    found = f"others can read {', '.join(open_ones)}: run chmod -R go= on them" if open_ones else "only the owner reads"
    return Check("umask", not open_ones, found)


def _readers(settings: Settings) -> Check:
    """Others can enter a place of readers of its own, and every folder above it."""
    place = settings.serve_folder
    if place is None:
        return Check("readers", True, f"{settings.serve}; `serve_folder` gives other accounts a place of their own")
    closed = [
        str(folder) for folder in (place, *place.parents) if folder.exists() and not folder.stat().st_mode & 0o001
    ]
    found = f"others cannot enter {', '.join(closed)}: run chmod o+x on them" if closed else str(place)
    return Check("readers", not closed, found)


def _key(settings: Settings) -> Check:
    file = keys.key_file(settings)
    if not file.exists():
        return Check("key", True, f"{file} will be made at first use")
    try:
        key = keys.load_key(settings)
    except UserError as error:
        return Check("key", False, str(error))
    kind = "the demo's public key: for the sample exports only" if keys.is_demo_key(key) else "private"
    return Check("key", True, f"{file}, {kind}, mode {stat.S_IMODE(file.stat().st_mode):o}")


def _lock(settings: Settings) -> Check:
    holder = holder_of(work_file.lock_file(settings))
    if holder is None:
        return Check("lock", True, "free")
    return Check(
        "lock", True, f"held by process {holder.get('pid')} since {holder.get('since')} ({holder.get('purpose')})"
    )


def _held(ledger: Ledger) -> Check:
    is_held = plan.is_held(ledger)
    return Check(
        "publishing", not is_held, "held since a rollback: `loyalty publish --resume`" if is_held else "not held"
    )
