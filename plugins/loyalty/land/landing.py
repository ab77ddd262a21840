"""Landing: an export becomes one immutable load, or is rejected whole.

    landing/<feed>/load_id=<id>/     Parquet parts and _manifest.json
    quarantine/<feed>/load_id=<id>/  the quarantined rows, with rule and reason
    rejected/<feed>/load_id=<id>/    the manifest of a rejected file

A load is written beside its place and renamed into it, quarantine first; the ledger gets its event last.
After a kill the next run either finds the load whole or writes it again with the same content:
`load_id` is a hash of the file's bytes and of all that decides what they mean.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Literal

from loyalty.common.counted import counted
from loyalty.common.disk import remove
from loyalty.common.errors import LoadRejected, Transient, UserError, keep_traceback
from loyalty.common.failpoints import failpoint
from loyalty.common.ledger import Ledger, Load
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.land.canonical import Plan, missing_sentence, plan_columns, reject_missing
from loyalty.land.delivery import Delivery, make_delivery, make_rules_id
from loyalty.land.foresight import GROUP, Foreseen, Foresight, foresee
from loyalty.land.gate import RuleResult, Suite, add_up, check_load, load_suite
from loyalty.land.load_writer import LoadWriter, open_writer
from loyalty.land.loads import (
    MANIFEST,
    load_folder,
    manifest_before,
    put_in_place,
    read_manifest,
    write_json,
    wrong_parts,
)
from loyalty.land.profile import foreseen_profile, load_profile
from loyalty.land.quarantine import close_corrected
from loyalty.privacy.keys import load_key
from loyalty.privacy.suppression import forgotten_count, remember
from loyalty.pull.feeds import FeedConfig, usable_feeds
from loyalty.pull.formats.batch import Batch
from loyalty.pull.formats.read import read_batches
from loyalty.pull.sources.connections import download
from loyalty.pull.sources.files import (
    RawFile,
    address,
    checksum,
    dated_ahead,
    fetch,
    file_name,
    find_files,
    modified_at,
    reason_to_reject,
    shown,
    stamp_of,
)


@dataclass(frozen=True)
class LoadOutcome:
    """The outcome of one delivery, in the words of an alert."""

    feed_name: str
    uri: str
    load_id: str | None
    outcome: Literal["accepted", "rejected", "unchanged"]
    rows: int = 0
    quarantined: int = 0
    message: str = ""
    rules: list[RuleResult] = field(default_factory=list)
    meanings: list[str] = field(default_factory=list)
    is_transient: bool = False

    @property
    def file(self) -> str:
        """The file's name, as it can be shown."""
        return shown(file_name(self.uri))

    @property
    def sentence(self) -> str:
        """The outcome of the file, for a terminal or a task's log."""
        if self.outcome == "rejected":
            return f"rejected: {self.message}"
        if self.outcome == "unchanged":
            return f"{self.feed_name}: {self.file} was loaded before, with the same content"
        rows = counted(self.rows, "row")
        landed = f"{self.feed_name}: landed {rows} of {self.file} as load {self.load_id}. {self.message}"
        more = f"`loyalty quarantine show {self.load_id}` shows them." if self.quarantined else ""
        return f"{landed.rstrip()} {more}".rstrip()


def unseen_files(
    workspace: Workspace, feed: FeedConfig, date: date | None = None, now: datetime | None = None
) -> list[str]:
    """The files of a feed that have not been delivered as they are now, oldest first.

    A rejected file is tried again when its feed's YAML or its suite has changed since. With `date`, only
    the file of that day.
    """
    settings = workspace.settings
    found = find_files(settings, feed, date)
    if feed.path is None:  # an endpoint or a query: only its content shows whether it is new
        return found
    rules_id = make_rules_id(settings, feed)
    now = now or datetime.now(UTC)
    return [uri for uri in found if _is_unseen(workspace, feed, uri, rules_id, now)]


def load_feed(
    workspace: Workspace,
    feed: FeedConfig,
    files: list[str] | None = None,
    date: date | None = None,
    again: bool = False,
    now: datetime | None = None,
) -> list[LoadOutcome]:
    """Pull, check and land the unseen files of a feed, or the files named.

    With `again`, every raw file still kept is read again with today's mapping, and the new load takes the
    old one's place. Bad data is an outcome, not an exception, and so is every other fault of one
    file; UserError is raised for what is wrong with the workspace (a rule that cannot run, a connection
    that is missing).
    """
    if again and files:
        raise UserError(
            f"`--again` reads every kept file of one feed again, here of `{feed.name}`: leave out {', '.join(files)}. "
            "For another feed, call it once more."
        )
    if again:
        return _load_again(workspace, feed)
    has_request = date is not None or files is not None
    try:
        suite = load_suite(workspace.settings.expectations, feed.canonical_name)
        chosen = files if files is not None else unseen_files(workspace, feed, date, now)
        chosen, unordered = _in_order(workspace, feed, chosen)
        outcomes = []
        with workspace.progress.steps(feed.name, len(chosen), seconds_between=0) as steps:
            for group in (chosen[first : first + GROUP] for first in range(0, len(chosen), GROUP)):
                known = [uri for uri in group if uri not in unordered]
                foresight = foresee(workspace, feed, suite, known, now or datetime.now(UTC))
                for uri in group:
                    steps.next(shown(file_name(uri)))
                    at = foresight.at if uri in foresight.files else now or datetime.now(UTC)
                    outcomes.append(_load_file(workspace, feed, suite, uri, at, unordered.get(uri, ""), foresight))
    except UserError as error:
        if not has_request:  # else the request itself may be wrong
            workspace.ledger.record_feed_error(feed.name, str(error))
        raise
    workspace.ledger.record_feed_error(feed.name, "")
    return outcomes


def land_file(
    workspace: Workspace,
    feed: FeedConfig,
    suite: Suite,
    raw: RawFile,
    now: datetime,
    foresight: Foresight | None = None,
    foreseen: Foreseen | None = None,
) -> LoadOutcome:
    """Check and land one raw file, and record it in the ledger; what was `foreseen` of it is not worked out again."""
    delivery = make_delivery(workspace, feed, raw)
    if wrong_parts(delivery.folder):
        with open_writer(workspace.settings, delivery, now) as writer:
            failpoint("land.opened")
            try:
                _write_load(workspace, writer, suite, foresight, foreseen)
                remember(workspace.settings, writer.forgotten_records)
                _place(workspace.settings, writer)
            except LoadRejected as error:
                return _reject(workspace, writer, _rejection(feed, raw.uri, error))
    failpoint("land.renamed")
    return _accept(workspace, delivery, now)


def _accept(workspace: Workspace, delivery: Delivery, now: datetime) -> LoadOutcome:
    """Record a load that lies whole in its place."""
    settings, ledger = workspace.settings, workspace.ledger
    manifest = read_manifest(delivery.folder)
    if manifest.get("erased_count") or _was_erased_from(settings, ledger, delivery.raw.sha256):
        remove(settings.raw.glob(f"*/{delivery.raw.sha256}"))  # every feed's copy still names the forgotten person
    close_corrected(workspace, delivery.feed.canonical, delivery.folder)
    failpoint("land.corrected")
    restated = _restated(ledger, delivery)
    event = ledger.deliver(
        at=now,
        supersedes=_superseded(ledger, delivery),
        restates=[load.load_id for load in restated],
        **delivery.record,
        **_figures(manifest),
    )
    failpoint("land.recorded")
    if event.data["outcome"] == "unchanged":
        message = _unchanged_sentence(delivery, manifest)
    else:
        sentences = [*(_restated_sentence(delivery, load) for load in restated), _quarantined_sentence(manifest)]
        message = " ".join(sentences).strip()
    return LoadOutcome(
        delivery.feed.name,
        delivery.raw.uri,
        delivery.load_id,
        event.data["outcome"],
        manifest["row_count"],
        manifest["quarantined_count"],
        message,
        [RuleResult(**rule) for rule in manifest["rules"]],
        manifest.get("quarantined_meanings", []),
    )


def _in_order(workspace: Workspace, feed: FeedConfig, uris: list[str]) -> tuple[list[str], dict[str, str]]:
    """The files in the order in which they count, and why files whose order is not known are rejected.

    A date in the name or a version column gives the order; without them the times of the files do, which is said.
    """
    if len(uris) < 2 or feed.path is None or feed.is_dated or feed.version is not None:
        return uris, {}
    times = {uri: modified_at(workspace.settings, uri) for uri in uris}
    ordered = sorted(uris, key=lambda uri: (times[uri] or 0, uri))
    unordered = {
        uri: "which of the undated files of this run is newer is not known, because their times are equal or missing; "
        "put a date into the names (`{date}` in the path), name a `version` column, or deliver one file a run"
        for uri in uris
        if times[uri] is None or list(times.values()).count(times[uri]) > 1
    }
    if len(unordered) < len(uris):
        names = ", ".join(shown(file_name(uri)) for uri in ordered if uri not in unordered)
        workspace.progress.log(f"{feed.name}: names without a date are taken in the order of the files' times: {names}")
    return ordered, unordered


def _load_file(
    workspace: Workspace, feed: FeedConfig, suite: Suite, uri: str, now: datetime, unordered: str, foresight: Foresight
) -> LoadOutcome:
    def land() -> LoadOutcome:
        if why := unordered or dated_ahead(feed, uri, now):
            raise LoadRejected(why)
        foreseen = foresight.files.get(uri)
        raw = foreseen.raw if foreseen else _pull(workspace.settings, feed, uri)
        failpoint("land.pulled")
        return land_file(workspace, feed, suite, raw, now, foresight, foreseen)

    return _one_file(workspace, feed, uri, now, land)


def _one_file(
    workspace: Workspace, feed: FeedConfig, uri: str, now: datetime, land: Callable[[], LoadOutcome]
) -> LoadOutcome:
    """Land one file; a fault of the file is its own outcome, and the file is tried again with the next run."""
    is_transient = False
    try:
        return land()
    except LoadRejected as error:
        message = _rejection(feed, uri, error)
    except Transient as error:
        message, is_transient = str(error), True
    except UserError:
        raise
    except OSError as error:
        message = f"Feed `{feed.name}`, file {shown(file_name(uri))}: landing stopped ({error.strerror or error})."
        is_transient = True
    except Exception as error:
        kept = keep_traceback(workspace.settings.home / "logs", feed.name)
        kind = type(error).__name__
        message = _rejection(feed, uri, f"it stopped landing with an unexpected {kind}; details in {kept}")
    with contextlib.suppress(OSError):  # on a full disk the outcome alone must do
        workspace.ledger.append(
            "delivery",
            at=now,
            feed_name=feed.name,
            feed=feed.canonical_name,
            source=feed.source,
            uri=shown(address(workspace.settings, uri)),
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
    downloaded = download(feed, settings.raw / feed.name, settings.max_file_bytes)
    try:
        fetched = fetch(settings, feed, str(downloaded))
        return RawFile(uri, f"{feed.name}.{feed.format}", fetched.sha256, fetched.copy)
    finally:
        downloaded.unlink()


def _write_load(
    workspace: Workspace, writer: LoadWriter, suite: Suite, foresight: Foresight | None, foreseen: Foreseen | None
) -> None:
    """Write all parts beside the load's place and check the load-level rules; LoadRejected when one is broken."""
    settings, feed, key = workspace.settings, writer.feed, load_key(workspace.settings)
    plan: Plan | None = None
    before = manifest_before(workspace, feed)
    given_before = before.get("given_columns", [])
    header: dict[str, None] = {}
    batches: Iterable[Batch] = (
        [foreseen.batch]
        if foreseen
        else read_batches(writer.delivery.raw.copy, feed, settings.batch_rows, settings.max_file_bytes)
    )
    for batch in batches:
        header |= dict.fromkeys(batch.cells.column_names)
        if plan is None or feed.is_ragged:
            plan = plan_columns(feed, batch.cells.column_names)
        if not feed.is_ragged and not writer.given:  # before a large file is read for nothing
            _reject_incomplete(workspace, feed, list(header), given_before)
        if foreseen:
            writer.add_foreseen(batch, foreseen.plan, foreseen.table, foreseen.results, key)
        else:
            writer.add(batch, plan, suite, key)
    if feed.is_ragged:
        _reject_incomplete(workspace, feed, list(header), given_before)
    writer.personal |= {name: header for name, header in _personal_before(before, feed).items() if header in header}
    writer.drop_personal()
    writer.results = add_up(writer.results)
    failpoint("land.written")
    writer.reject_too_many()
    has_lost_columns = bool(writer.personal)  # the columns of the load before are dropped from this one too
    given = {*writer.given, *given_before}
    writer.profile = (
        foreseen_profile(workspace, writer, foreseen.profile, given)
        if foreseen and not has_lost_columns
        else load_profile(workspace, writer, given)
    )
    if writer.profile["trailer_matches"] is False:
        claimed = writer.profile["trailer_row_count"], writer.profile["trailer_total"]
        raise LoadRejected(f"the total line names rows: {claimed[0]}, in all: {claimed[1]}; that is not what was read")
    of_load = check_load(suite, writer.profile, foresight.passed if foresight else None)
    writer.results = [*writer.results, *of_load]
    for rule in of_load:
        if rule.severity == "critical" and rule.failed:
            seen = f" ({rule.column} is {rule.observed})" if rule.observed is not None else ""
            raise LoadRejected(f"the load breaks the rule `{rule.rule}`{seen}: {rule.because.rstrip('.')}")
    failpoint("land.checked")


def _reject_incomplete(workspace: Workspace, feed: FeedConfig, header: list[str], given_before: list[str]) -> None:
    """LoadRejected when the file as a whole lacks a column that it must have."""
    reject_missing(feed, header)
    given = plan_columns(feed, header).given
    _reject_worthless_orders(workspace.settings, feed, given, header)
    _reject_lost_columns(feed, given, given_before, header)


def _reject_worthless_orders(settings: Settings, feed: FeedConfig, given: tuple[str, ...], header: list[str]) -> None:
    """LoadRejected for orders without a total when no feed of the same source brings their lines."""
    if feed.canonical_name != "orders" or "total_amount" in given:
        return
    others = usable_feeds(settings.feeds).values()
    if not any(other.canonical_name == "order_lines" and other.source == feed.source for other in others):
        raise LoadRejected(missing_sentence("total_amount", "total_amount", header))


def _reject_lost_columns(feed: FeedConfig, given: tuple[str, ...], given_before: list[str], header: list[str]) -> None:
    """LoadRejected when money, key, time or customer came with the last load and does not come any more.

    Most of these columns may be missing from a shop's exports for good; one that disappears was renamed.
    """
    canonical = feed.canonical
    essential = {*canonical.key, canonical.event, canonical.amount, "customer_id", "order_id"}
    for column in given_before:
        if column in essential and column not in given:
            raise LoadRejected(missing_sentence(column, column, header))


def _personal_before(before: dict[str, Any], feed: FeedConfig) -> dict[str, str]:
    """The columns that were dropped for their texts from the load with this manifest, with their headers.

    They are dropped again, also where today's file has no such text: a name may be all that is left in them.
    """
    dropped = before.get("personal_columns", {})
    return {name: header for name, header in dropped.items() if header not in feed.keep_columns}


def _place(settings: Settings, writer: LoadWriter) -> None:
    """Put quarantine and load in their places, one rename each."""
    delivery, landed = writer.delivery, writer.delivery.folder
    if writer.quarantined:
        writer.write_quarantine()
        quarantine = load_folder(settings.quarantine, delivery.feed.canonical_name, delivery.load_id)
        put_in_place(writer.quarantine_folder, quarantine)
    failpoint("land.quarantined")
    write_json(writer.folder / MANIFEST, writer.manifest())
    failpoint("land.described")
    if landed.exists() and wrong_parts(landed):  # damaged or foreign: the load that was read now takes its place
        landed.rename(landed.with_name(f".draft-damaged-{writer.folder.name.removeprefix('.')}"))
    put_in_place(writer.folder, landed)


def _reject(workspace: Workspace, writer: LoadWriter, message: str) -> LoadOutcome:
    """Keep the manifest of a rejected file and record it in the ledger; no row of the file is landed."""
    delivery = writer.delivery
    feed, raw = delivery.feed, delivery.raw
    writer.results = add_up(writer.results)
    manifest = writer.manifest() | {"reason": message, "parts": []}
    folder = load_folder(workspace.settings.rejected, feed.canonical_name, delivery.load_id)
    failpoint("land.rejecting")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{MANIFEST}.draft", manifest)
    (folder / f"{MANIFEST}.draft").replace(folder / MANIFEST)
    failpoint("land.rejected")
    if writer.forgotten:  # a rejected file may name a forgotten person, and it was not read to its end
        shutil.rmtree(raw.copy.parent)
    workspace.ledger.append(
        "delivery",
        at=writer.received_at,
        outcome="rejected",
        reason=message,
        **delivery.record,
        **_figures(manifest),
    )
    failpoint("land.reject_recorded")
    count = len(writer.quarantined)
    return LoadOutcome(feed.name, raw.uri, delivery.load_id, "rejected", 0, count, message, writer.results)


def _was_erased_from(settings: Settings, ledger: Ledger, sha256: str) -> bool:
    """Whether a person was erased from a load of the same bytes, perhaps another feed's that reads more of them."""
    if not forgotten_count(settings):
        return False
    loads = {
        load_folder(settings.landing, event.data["feed"], ledger.successor(event.data["load_id"]))
        for event in ledger.deliveries_of_bytes(sha256)
    }
    return any(read_manifest(load).get("erased_count") for load in loads if load.is_dir())


def _figures(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: manifest[name] for name in ("row_count", "quarantined_count", "quarantined_amount")}


def _is_unseen(workspace: Workspace, feed: FeedConfig, uri: str, rules_id: str, now: datetime) -> bool:
    settings, known_as = workspace.settings, address(workspace.settings, uri)
    delivered = workspace.ledger.last_delivery(feed.name, shown(known_as), shown(uri))  # older versions kept the latter
    if delivered is None:
        return True
    last = delivered.data
    try:
        if why := reason_to_reject(settings, uri) or dated_ahead(feed, uri, now):
            raise LoadRejected(why)
        stamp = stamp_of(settings, uri)
        is_known = bool(stamp) and last.get("stamp") == stamp
        if not is_known and last["sha256"] != _checksum(workspace, uri, stamp):
            return True
    except LoadRejected as rejected:
        return bool(last.get("reason") != _rejection(feed, uri, rejected))
    except OSError:  # it cannot be read: landing it gives the reason
        return True
    return last["outcome"] == "rejected" and last["rules_id"] != rules_id


def _checksum(workspace: Workspace, uri: str, stamp: str) -> str:
    """The checksum of a file's bytes; one that was read when it had this stamp is not read again."""
    known_as = shown(address(workspace.settings, uri))
    known = workspace.ledger.known_checksum(known_as, stamp) if stamp else None
    if known is None:
        known = checksum(workspace.settings, uri)
        if stamp and stamp == stamp_of(workspace.settings, uri):
            workspace.ledger.keep_checksum(known_as, stamp, known)
    return known


def _superseded(ledger: Ledger, delivery: Delivery) -> list[str]:
    """The loads of the same bytes read with another mapping, and the rows that were released from them."""
    name, sha256 = delivery.feed.name, delivery.raw.sha256
    same = ledger.loads(feed_name=name, sha256=sha256, version_at=delivery.version_label, released_from=None)
    replaced = [load.load_id for load in same if load.load_id != delivery.load_id]
    released = [load.load_id for old in replaced for load in ledger.loads(feed_name=name, released_from=old)]
    return [*replaced, *(load_id for load_id in released if load_id != delivery.load_id)]


def _restated(ledger: Ledger, delivery: Delivery) -> list[Load]:
    """The newest other load of the same export, by its date or its address: what this one corrects."""
    label = delivery.version_label
    same: dict[str, Any] = {"version_at": label} if label else {"version_at": None, "uri": delivery.raw.uri}
    same |= {"feed_name": delivery.feed.name, "mapping_id": delivery.feed.mapping_id, "released_from": None}
    newest = ledger.loads(**same, newest=2)  # one of them may be this one
    return [load for load in newest if load.load_id != delivery.load_id][-1:]


def _load_again(workspace: Workspace, feed: FeedConfig) -> list[LoadOutcome]:
    """Read every accepted load's raw file again, oldest first, so that the order of versions stays."""
    settings = workspace.settings
    suite = load_suite(settings.expectations, feed.canonical_name)
    loads = workspace.ledger.loads(feed_name=feed.name, released_from=None)
    copies = {load.load_id: sorted((settings.raw / feed.name / load.data["sha256"]).glob("*")) for load in loads}
    gone = [load.data["file"] for load in loads if not copies[load.load_id]]
    if gone:
        raise UserError(
            f"Feed `{feed.name}`: the raw file of {gone[0]} is no longer kept (raw_days is {settings.raw_days}); "
            "nothing was loaded again. Deliver the file once more."
        )
    outcomes = []
    with workspace.progress.steps(f"{feed.name} again", len(loads), seconds_between=0) as steps:
        for load in loads:
            steps.next(load.data["file"])
            raw = RawFile(load.uri, load.data["file"], load.data["sha256"], copies[load.load_id][0])
            land = partial(land_file, workspace, feed, suite, raw, load.received_at)
            outcomes.append(_one_file(workspace, feed, load.uri, load.received_at, land))
    return outcomes


def _rejection(feed: FeedConfig, uri: str, why: object) -> str:
    return f"Feed `{feed.name}`, file {shown(file_name(uri))}: {str(why).removesuffix('.')}."


def _restated_sentence(delivery: Delivery, load: Load) -> str:
    return (
        f"Feed `{delivery.feed.name}`, file {delivery.raw.name}: it restates the export that came "
        f"{load.received_at:%Y-%m-%d %H:%M} UTC; the newest version of each record counts."
    )


def _unchanged_sentence(delivery: Delivery, manifest: dict[str, Any]) -> str:
    name, where = delivery.raw.name, f"Feed `{delivery.feed.name}`, file {delivery.raw.name}"
    before = "before" if name == manifest["file"] else f"before as {manifest['file']}"
    return f"{where}: the same content was delivered {before}; nothing is loaded twice."


def _quarantined_sentence(manifest: dict[str, Any]) -> str:
    if not manifest["quarantined_count"]:
        return ""
    broken = [rule for rule in manifest["rules"] if rule["level"] == "row" and rule["severity"] == "critical"]
    reasons = ", ".join(f"{rule['rule']} {rule['failed']:,}" for rule in broken if rule["failed"])
    where = f"Feed `{manifest['feed_name']}`, file {manifest['file']}"
    return f"{where}: {counted(manifest['quarantined_count'], 'row')} quarantined ({reasons})."
