"""Landing: an export becomes one immutable load, or is refused whole.

    landing/<feed>/load_id=<id>/     Parquet parts and _manifest.json
    quarantine/<feed>/load_id=<id>/  the rows held back, with rule and reason
    rejected/<feed>/load_id=<id>/    the manifest of a refused file

A load is written beside its place and renamed into it, quarantine first; the ledger is told last.
Whatever is killed, the next run either finds the load whole or writes it again with the same content:
`load_id` is a hash of the file's bytes and of all that decides what they mean.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from loyalty.common.disk import remove
from loyalty.common.errors import LoadRejected, Transient, UserError, keep_traceback
from loyalty.common.failpoints import hit
from loyalty.common.ledger import Ledger, Load
from loyalty.common.settings import Settings
from loyalty.land.canonical import Plan, missing_sentence, plan_columns, refuse_missing
from loyalty.land.gate import RuleResult, Suite, add_up, check_load, load_suite
from loyalty.land.load_writer import Draft, version_label
from loyalty.land.loads import (
    MANIFEST,
    landed_folder,
    load_folder,
    put_in_place,
    read_manifest,
    write_json,
    wrong_parts,
)
from loyalty.land.profile import load_profile
from loyalty.land.quarantine import close_corrected
from loyalty.privacy.keys import load_key
from loyalty.privacy.suppression import forgotten_count, load_forgotten, remember
from loyalty.pull.feeds import FeedConfig, usable_feeds
from loyalty.pull.formats.read import read_batches
from loyalty.pull.sources.connections import download
from loyalty.pull.sources.files import RawFile, checksum, fetch, file_name, find_files, refused_unread, shown

Say = Callable[[str], None]


@dataclass(frozen=True)
class LoadOutcome:
    """What became of one delivery, in the words an alert can use."""

    feed_name: str
    uri: str
    load_id: str | None
    outcome: Literal["accepted", "rejected", "unchanged"]
    rows: int = 0
    quarantined: int = 0
    message: str = ""
    rules: list[RuleResult] = field(default_factory=list)
    is_transient: bool = False


def unseen_files(settings: Settings, feed: FeedConfig, date: date | None = None) -> list[str]:
    """The files of a feed that have not been delivered as they are now.

    A refused file is tried again when its feed's YAML or its suite has changed since. With `date`, only
    the file of that day.
    """
    found = find_files(settings, feed, date)
    if feed.path is None:  # an endpoint or a query: only its content can tell
        return found
    ledger = Ledger(settings.ledger)
    delivered = {
        event.data["uri"]: event.data for event in ledger.events("delivery") if event.data["feed_name"] == feed.name
    }
    gate_id = _gate_id(settings, feed)
    return [uri for uri in found if _is_unseen(settings, feed, uri, delivered.get(shown(uri)), gate_id)]


def load_feed(
    settings: Settings,
    feed: FeedConfig,
    files: list[str] | None = None,
    date: date | None = None,
    again: bool = False,
    say: Say = print,
    now: datetime | None = None,
) -> list[LoadOutcome]:
    """Pull, check and land the unseen files of a feed, or the files named.

    With `again`, every raw file still kept is read anew with today's mapping, and the new load takes the
    old one's place. Bad data is an outcome, not an exception, and so is whatever else goes wrong with one
    file; UserError is raised for what is wrong with the workspace (a rule that cannot run, a connection
    that is missing).
    """
    if again:
        return _load_again(settings, feed, load_suite(settings.expectations, feed.feed), say)
    ledger, is_asked = Ledger(settings.ledger), date is not None or files is not None
    try:
        suite = load_suite(settings.expectations, feed.feed)
        chosen = files if files is not None else unseen_files(settings, feed, date)
        outcomes = [_load_file(settings, feed, suite, uri, say, now or datetime.now(UTC)) for uri in chosen]
    except UserError as error:
        if not is_asked:  # else it may be the asking that was wrong
            ledger.trouble(feed.name, str(error))
        raise
    ledger.trouble(feed.name, "")
    return outcomes


def land_file(settings: Settings, feed: FeedConfig, suite: Suite, raw: RawFile, now: datetime) -> LoadOutcome:
    """Check and land one raw file, and tell the ledger."""
    load_id = Ledger(settings.ledger).successor(make_load_id(raw, feed))
    landed = load_folder(settings.landing, feed.feed, load_id)
    if wrong_parts(landed):
        draft = _new_draft(settings, feed, raw, load_id, now)
        hit("land.drafted")
        try:
            _write_load(settings, draft, suite)
            remember(settings, draft.forgotten_records)
            _place(draft, landed, load_folder(settings.quarantine, feed.feed, load_id), load_id)
        except LoadRejected as error:
            return _reject(settings, draft, load_id, _refusal(feed, raw.uri, error))
        finally:
            shutil.rmtree(draft.folder, ignore_errors=True)
            shutil.rmtree(draft.quarantine, ignore_errors=True)
    hit("land.renamed")
    manifest = read_manifest(landed)
    ledger = Ledger(settings.ledger)
    if manifest.get("erased_count") or _was_erased_from(settings, ledger, raw.sha256):
        remove(settings.raw.glob(f"*/{raw.sha256}"))  # every feed's copy still names who was forgotten
    close_corrected(settings, feed.canonical, landed)
    hit("land.corrected")
    restated = _restated(ledger, feed, raw, load_id)
    event = ledger.deliver(
        feed_name=feed.name,
        load_id=load_id,
        at=now,
        supersedes=_superseded(ledger, feed, raw, load_id),
        restates=[load.load_id for load in restated],
        **_delivery(settings, feed, raw),
        **_figures(manifest),
    )
    hit("land.recorded")
    return LoadOutcome(
        feed.name,
        raw.uri,
        load_id,
        event.data["outcome"],
        manifest["row_count"],
        manifest["quarantined_count"],
        _unchanged_sentence(feed, raw, manifest)
        if event.data["outcome"] == "unchanged"
        else " ".join(
            [_restated_sentence(feed, raw, load) for load in restated] + [_held_back_sentence(feed, manifest)]
        ).strip(),
        [RuleResult(**rule) for rule in manifest["rules"]],
    )


def make_load_id(raw: RawFile, feed: FeedConfig) -> str:
    """The identity of a load: the file's content, the mapping that reads it, and the date its name gives it.

    The date belongs to it because it decides which version is the newest: what a shop exports again under
    a later date counts from then on.
    """
    meaning = f"{raw.sha256}:{feed.mapping_id}:{version_label(feed, raw)}"
    return hashlib.sha256(meaning.encode()).hexdigest()[:24]


def _load_file(settings: Settings, feed: FeedConfig, suite: Suite, uri: str, say: Say, now: datetime) -> LoadOutcome:
    say(f"{feed.name}: reading {shown(file_name(uri))}")

    def land() -> LoadOutcome:
        raw = _pull(settings, feed, uri)
        hit("land.pulled")
        return land_file(settings, feed, suite, raw, now)

    return _one_file(settings, feed, uri, now, land)


def _one_file(
    settings: Settings, feed: FeedConfig, uri: str, now: datetime, land: Callable[[], LoadOutcome]
) -> LoadOutcome:
    """Land one file; whatever goes wrong with it is its own outcome, and it is tried again with the next run."""
    is_transient = False
    try:
        return land()
    except LoadRejected as error:
        message = _refusal(feed, uri, error)
    except Transient as error:
        message, is_transient = str(error), True
    except UserError:
        raise
    except OSError as error:
        message = f"Feed `{feed.name}`, file {shown(file_name(uri))}: landing stopped ({error.strerror or error})."
        is_transient = True
    except Exception as error:
        kept = keep_traceback(settings.home / "logs", feed.name)
        kind = type(error).__name__
        message = _refusal(feed, uri, f"it stopped landing with an unexpected {kind}; details in {kept}")
    with contextlib.suppress(OSError):  # on a full disk the outcome alone must do
        Ledger(settings.ledger).append(
            "delivery",
            at=now,
            feed_name=feed.name,
            feed=feed.feed,
            source=feed.source,
            uri=shown(uri),
            file=shown(file_name(uri)),
            load_id=None,
            sha256=None,
            outcome="rejected",
            reason=message,
        )
    return LoadOutcome(feed.name, uri, None, "rejected", message=message, is_transient=is_transient)


def _pull(settings: Settings, feed: FeedConfig, uri: str) -> RawFile:
    if feed.path is not None:
        return fetch(settings, feed, uri)
    downloaded = download(feed, settings.raw / feed.name)
    try:
        fetched = fetch(settings, feed, str(downloaded))
        return RawFile(uri, f"{feed.name}.{feed.format}", fetched.sha256, fetched.copy)
    finally:
        downloaded.unlink()


def _write_load(settings: Settings, draft: Draft, suite: Suite) -> None:
    """Write all parts beside the load's place and ask the load-level rules; LoadRejected when they refuse it."""
    feed, key = draft.feed, load_key(settings)
    plan: Plan | None = None
    header: dict[str, None] = {}
    for batch in read_batches(draft.raw.copy, feed, settings.batch_rows, settings.max_file_bytes):
        header |= dict.fromkeys(batch.cells.column_names)
        if plan is None or feed.is_ragged:
            plan = plan_columns(feed, batch.cells.column_names)
        if not feed.is_ragged and not draft.given:  # before anything of a large file is read in vain
            _refuse_incomplete(settings, feed, list(header))
        draft.add(batch, plan, suite, key)
    if feed.is_ragged:
        _refuse_incomplete(settings, feed, list(header))
    draft.results = add_up(draft.results)
    hit("land.written")
    draft.refuse_too_many()
    draft.profile = load_profile(settings, draft)
    if draft.profile["trailer_matches"] is False:
        claimed = draft.profile["trailer_row_count"], draft.profile["trailer_total"]
        raise LoadRejected(f"the total line says {claimed[0]} rows and {claimed[1]} in all; that is not what was read")
    of_load = check_load(suite, draft.profile)
    draft.results = [*draft.results, *of_load]
    for rule in of_load:
        if rule.severity == "critical" and rule.failed:
            seen = f" ({rule.column} is {rule.observed})" if rule.observed is not None else ""
            raise LoadRejected(f"the load breaks the rule `{rule.rule}`{seen}: {rule.because.rstrip('.')}")
    hit("land.checked")


def _refuse_incomplete(settings: Settings, feed: FeedConfig, header: list[str]) -> None:
    """LoadRejected when the file as a whole lacks a column that it must have."""
    refuse_missing(feed, header)
    given = plan_columns(feed, header).given
    _refuse_worthless_orders(settings, feed, given, header)
    _refuse_lost_columns(settings, feed, given, header)


def _refuse_worthless_orders(settings: Settings, feed: FeedConfig, given: tuple[str, ...], header: list[str]) -> None:
    """LoadRejected for orders without a total when no feed of the same source brings their lines."""
    if feed.feed != "orders" or "total_amount" in given:
        return
    others = usable_feeds(settings.feeds).values()
    if not any(other.feed == "order_lines" and other.source == feed.source for other in others):
        raise LoadRejected(missing_sentence("total_amount", "total_amount", header))


def _refuse_lost_columns(settings: Settings, feed: FeedConfig, given: tuple[str, ...], header: list[str]) -> None:
    """LoadRejected when money, key, time or customer came with the last load and does not come any more.

    Most of these columns may be missing from a shop's exports for good; one that disappears was renamed.
    """
    canonical = feed.canonical
    bearing = {*canonical.key, canonical.event, canonical.amount, "customer_id", "order_id"}
    for column in _given_before(settings, feed):
        if column in bearing and column not in given:
            raise LoadRejected(missing_sentence(column, column, header))


def _given_before(settings: Settings, feed: FeedConfig) -> list[str]:
    """The columns that the feed's newest load with the same mapping had; of a damaged load nobody knows."""
    for load in reversed(Ledger(settings.ledger).loads()):
        is_alike = load.feed_name == feed.name and not load.of_load_id and load.data["mapping_id"] == feed.mapping_id
        if is_alike:
            with contextlib.suppress(UserError):
                return read_manifest(landed_folder(settings, load)).get("given_columns", [])
    return []


def _place(draft: Draft, landed: Path, quarantined: Path, load_id: str) -> None:
    if draft.held_back:
        draft.write_quarantine()
        put_in_place(draft.quarantine, quarantined)
    hit("land.quarantined")
    write_json(draft.folder / MANIFEST, draft.manifest(load_id))
    hit("land.described")
    if landed.exists() and wrong_parts(landed):  # damaged, or by a stranger: what the file says takes its place
        landed.rename(landed.with_name(f".draft-damaged-{draft.folder.name.removeprefix('.')}"))
    put_in_place(draft.folder, landed)


def _reject(settings: Settings, draft: Draft, load_id: str, message: str) -> LoadOutcome:
    """Keep the refusal's manifest and tell the ledger; nothing of the file is landed."""
    feed, raw = draft.feed, draft.raw
    draft.results = add_up(draft.results)
    manifest = draft.manifest(load_id) | {"reason": message, "parts": []}
    folder = load_folder(settings.rejected, feed.feed, load_id)
    hit("land.refused")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{MANIFEST}.draft", manifest)
    (folder / f"{MANIFEST}.draft").replace(folder / MANIFEST)
    hit("land.rejected")
    if draft.forgotten:  # whether a refused file names who was forgotten nobody can tell
        shutil.rmtree(raw.copy.parent)
    Ledger(settings.ledger).append(
        "delivery",
        at=draft.received_at,
        feed_name=feed.name,
        load_id=load_id,
        outcome="rejected",
        reason=message,
        **_delivery(settings, feed, raw),
        **_figures(manifest),
    )
    hit("land.reject_recorded")
    held_back = len(draft.held_back)
    return LoadOutcome(feed.name, raw.uri, load_id, "rejected", 0, held_back, message, draft.results)


def _was_erased_from(settings: Settings, ledger: Ledger, sha256: str) -> bool:
    """Whether somebody was taken out of a load of the same bytes, perhaps another feed's that reads more of them."""
    if not forgotten_count(settings):
        return False
    loads = {
        load_folder(settings.landing, event.data["feed"], ledger.successor(event.data["load_id"]))
        for event in ledger.events("delivery")
        if event.data["sha256"] == sha256
    }
    return any(read_manifest(load).get("erased_count") for load in loads if load.is_dir())


def _new_draft(settings: Settings, feed: FeedConfig, raw: RawFile, load_id: str, now: datetime) -> Draft:
    """Two empty folders beside the load's places, on the same file system."""
    name = f".draft-{load_id}-{uuid.uuid4().hex[:8]}"
    folder, quarantine = settings.landing / feed.feed / name, settings.quarantine / feed.feed / name
    folder.mkdir(parents=True)
    quarantine.mkdir(parents=True)
    return Draft(
        feed,
        raw,
        now,
        folder,
        quarantine,
        forgotten=load_forgotten(settings),
        forgotten_count=forgotten_count(settings),
    )


def _delivery(settings: Settings, feed: FeedConfig, raw: RawFile) -> dict[str, Any]:
    return {
        "feed": feed.feed,
        "source": feed.source,
        "group": feed.group,
        "uri": raw.uri,
        "file": raw.name,
        "sha256": raw.sha256,
        "mapping_id": feed.mapping_id,
        "gate_id": _gate_id(settings, feed),
        "version_at": version_label(feed, raw),
        "snapshot": feed.snapshot == "full",
    }


def _figures(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: manifest[name] for name in ("row_count", "quarantined_count", "quarantined_amount")}


def _gate_id(settings: Settings, feed: FeedConfig) -> str:
    """What a refused file was refused by: the mapping, the limits and the suite of that day."""
    file = settings.expectations / f"{feed.feed}.yml"
    suite = file.read_bytes() if file.exists() else b""
    return hashlib.sha256(suite + f"{feed.mapping_id}:{feed.max_quarantine_rate}".encode()).hexdigest()


def _is_unseen(settings: Settings, feed: FeedConfig, uri: str, last: dict[str, Any] | None, gate_id: str) -> bool:
    if last is None:
        return True
    try:
        if why := refused_unread(settings, uri):
            raise LoadRejected(why)
        if last["sha256"] != checksum(settings, uri):
            return True
    except LoadRejected as refused:
        return bool(last.get("reason") != _refusal(feed, uri, refused))
    except OSError:  # it cannot be read: landing it will say so
        return True
    return last["outcome"] == "rejected" and last["gate_id"] != gate_id


def _superseded(ledger: Ledger, feed: FeedConfig, raw: RawFile, load_id: str) -> list[str]:
    """The loads of the same bytes read with another mapping, which give way, and what was released from them."""
    loads = [load for load in ledger.loads() if load.feed_name == feed.name and load.load_id != load_id]
    replaced = [
        load.load_id
        for load in loads
        if load.of_load_id is None
        and load.data.get("sha256") == raw.sha256
        and load.data["version_at"] == version_label(feed, raw)
    ]
    released = [load.load_id for load in loads if load.of_load_id in replaced]
    return [*replaced, *released]


def _restated(ledger: Ledger, feed: FeedConfig, raw: RawFile, load_id: str) -> list[Load]:
    """The newest other load of the same export, by its date or its address: what this one corrects."""
    label = version_label(feed, raw)
    same_export = [
        load
        for load in ledger.loads()
        if load.feed_name == feed.name
        and load.of_load_id is None
        and load.load_id != load_id
        and load.data["mapping_id"] == feed.mapping_id
        and load.data["version_at"] == label
        and (label or load.uri == raw.uri)
    ]
    return same_export[-1:]


def _restated_sentence(feed: FeedConfig, raw: RawFile, load: Load) -> str:
    return (
        f"Feed `{feed.name}`, file {raw.name}: it restates the export that came {load.received_at:%Y-%m-%d %H:%M} UTC; "
        "the newest version of each record counts."
    )


def _load_again(settings: Settings, feed: FeedConfig, suite: Suite, say: Say) -> list[LoadOutcome]:
    """Read every accepted load's raw file anew, oldest first, so that the order of versions stays."""
    loads = [load for load in Ledger(settings.ledger).loads() if load.feed_name == feed.name and not load.of_load_id]
    copies = {load.load_id: sorted((settings.raw / feed.name / load.data["sha256"]).glob("*")) for load in loads}
    gone = [load.data["file"] for load in loads if not copies[load.load_id]]
    if gone:
        raise UserError(
            f"Feed `{feed.name}`: the raw file of {gone[0]} is no longer kept (raw_days is {settings.raw_days}); "
            "nothing was loaded again. Deliver the file once more."
        )
    outcomes = []
    for load in loads:
        say(f"{feed.name}: reading {load.data['file']} again")
        raw = RawFile(load.uri, load.data["file"], load.data["sha256"], copies[load.load_id][0])
        land = partial(land_file, settings, feed, suite, raw, load.received_at)
        outcomes.append(_one_file(settings, feed, load.uri, load.received_at, land))
    return outcomes


def _refusal(feed: FeedConfig, uri: str, why: object) -> str:
    return f"Feed `{feed.name}`, file {shown(file_name(uri))}: {str(why).removesuffix('.')}."


def _unchanged_sentence(feed: FeedConfig, raw: RawFile, manifest: dict[str, Any]) -> str:
    before = "before" if raw.name == manifest["file"] else f"before as {manifest['file']}"
    return f"Feed `{feed.name}`, file {raw.name}: the same content was delivered {before}; nothing is loaded twice."


def _held_back_sentence(feed: FeedConfig, manifest: dict[str, Any]) -> str:
    if not manifest["quarantined_count"]:
        return ""
    broken = [rule for rule in manifest["rules"] if rule["level"] == "row" and rule["severity"] == "critical"]
    reasons = ", ".join(f"{rule['rule']} {rule['failed']:,}" for rule in broken if rule["failed"])
    return f"Feed `{feed.name}`, file {manifest['file']}: {manifest['quarantined_count']:,} rows held back ({reasons})."
