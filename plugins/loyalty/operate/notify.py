"""Alerts: a failed load is sent at once, and each run sends one message about all that needs attention.

The messages are made from the ledger, so they are the same with and without a scheduler. What was sent is not sent
again.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Literal

from loyalty.build import plan
from loyalty.common.counted import counted
from loyalty.common.errors import LockBusy, UserError
from loyalty.common.failpoints import failpoint
from loyalty.common.ledger import Ledger
from loyalty.common.lock import file_lock
from loyalty.common.runs import failed_runs
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.land import quarantine
from loyalty.operate.channels import Alert, Post, harmless, send
from loyalty.operate.status import feed_states
from loyalty.publish.generations import REPORT, current_generation
from loyalty.pull.feeds import FeedConfig, load_feeds
from loyalty.read.data_warnings import DataWarning, data_warnings
from loyalty.read.handled_sentences import HEADING, sentences
from loyalty.read.words import Words

EXAMPLE_LINES = 3
MOST_ITEMS = 15  # in a chat or a mail; the log has all
MOST_DONE = 5  # of them
LOCK_SECONDS = 60

Severity = Literal["critical", "warning"]

# The part of the runbook that helps, by what happened; quarantined rows have their own.
CHAPTERS = {
    "late": "a-feed-is-late",
    "rejected": "a-load-was-rejected",
    "load_failed": "a-load-was-rejected",
    "feed_disabled": "a-feeds-yaml-is-wrong",
    "held": "publishing-was-refused",
    "withheld": "a-mart-is-withheld",
    "publish_failed": "publishing-was-refused",
    "build_failed": "the-build-failed",
    "data_warning": "data-are-warned-of",
    "task_failed": "a-task-failed",
}
# A load that was not accepted: sent at once.
FAILED_LOADS = ("rejected", "load_failed", "feed_disabled")
# What readers do not get, although it was delivered or built. Everything else is a warning.
CRITICAL = (*FAILED_LOADS, "task_failed", "build_failed", "publish_failed", "held", "withheld")
# What feeds, files and cells have named: a chat may take it for a link, a person or a mark.
OF_OTHERS = ("feed", "rule", "what", "owner")

QUARANTINED = "many-rows-are-in-quarantine"


@dataclass(frozen=True)
class Item:
    """One thing that needs attention: what, how much, its owner, and where the next step is described."""

    feed: str
    rule: str
    rows: int
    what: str
    owner: str
    runbook: str
    subject: str = ""  # of something that stays the same while its counts grow

    @property
    def severity(self) -> Severity:
        """Whether readers miss something."""
        return "critical" if self.rule in CRITICAL else "warning"

    @property
    def fingerprint(self) -> str:
        """Equal for equal things."""
        kept = {"feed": self.feed, "rule": self.rule, "subject": self.subject} if self.subject else asdict(self)
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Message:
    """What needs attention in a workspace. Items that were `sent` before are counted and not repeated.

    `done` is what people did before the generation that is new since the last message: it explains figures, and is
    no reason to send one.
    """

    items: tuple[Item, ...]
    sent: frozenset[str] = frozenset()
    workspace: str = ""
    links: dict[str, str] = field(default_factory=dict)
    done: tuple[str, ...] = ()

    @property
    def unsent(self) -> tuple[Item, ...]:
        """The items that were not sent before: what is critical first, and the items of one feed together."""
        found = (item for item in self.items if item.fingerprint not in self.sent)
        return tuple(sorted(found, key=lambda item: (item.severity, item.feed)))

    @property
    def fingerprint(self) -> str:
        """Equal for equal states."""
        return _fingerprint(item.fingerprint for item in self.items)

    def alert(self, name: Callable[[str], str] = str, most: int | None = None) -> Alert:
        """The message for people, with `most` lines; `name` writes what others have named, such as files."""
        title = f"Loyalty warehouse {name(self.workspace)}".rstrip()
        done = self._done(name, MOST_DONE if most else None)
        if not self.items:
            return Alert(f"{title}: all is well again.", done, self.links)
        if most:
            most -= sum(len(lines) for _, lines in done)
        count, unsent = len(self.items), self.unsent
        critical = sum(item.severity == "critical" for item in self.items)
        title += f": {count} {'thing needs' if count == 1 else 'things need'} attention, {critical} critical"
        sections = [
            (
                severity,
                tuple(
                    f"{name(item.what)} Owner: {name(item.owner)}. Next step: {item.runbook}"
                    for item in unsent[:most]
                    if item.severity == severity
                ),
            )
            for severity in ("critical", "warning")
        ]
        rest, unchanged = len(unsent[:most]) - len(unsent), count - len(unsent)
        left = [f"{-rest} more; `loyalty status` shows all."] if rest else []
        left += [f"{unchanged} unchanged since the last message; `loyalty status` shows all."] if unchanged else []
        found = [(heading.upper(), lines) for heading, lines in sections if lines]
        return Alert(title, (*found, *([("", tuple(left))] if left else []), *done), self.links)

    def _done(self, name: Callable[[str], str], most: int | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What was done, under its heading; with `most`, the rest is counted in the last line."""
        lines = [name(sentence) for sentence in self.done]
        if most and len(lines) > most:
            lines[most - 1 :] = [f"{len(lines) - most + 1} more; `loyalty generations --diff` shows all."]
        return ((HEADING.upper(), tuple(lines)),) if lines else ()

    def written(self) -> str:
        """The whole message, for a log."""
        return self.alert().text

    def sendable(self) -> Alert:
        """The message for a chat, a mail or a program."""
        alert = self.alert(harmless, MOST_ITEMS)
        items = [
            {**asdict(item), **{key: harmless(getattr(item, key)) for key in OF_OTHERS}, "severity": item.severity}
            for item in self.unsent
        ]
        worst = min((item.severity for item in self.items), default="well")
        document = {
            "workspace": harmless(self.workspace),
            "severity": worst,
            "fingerprint": self.fingerprint,
            "items": items,
            "done": [harmless(sentence) for sentence in self.done],
            "links": self.links,
        }
        return replace(alert, document=document)


def notify(
    workspace: Workspace,
    now: datetime | None = None,
    post: Post | None = None,
    links: dict[str, str] | None = None,
) -> Message | None:
    """Log what needs attention, and send it to the workspace's webhook; None when nothing has changed.

    A webhook that cannot be reached is logged and tried again next time; it never fails a run. `links` are
    names and addresses to open, such as the run in Airflow.
    """

    def send_changes(sent: frozenset[str] | None) -> Message | None:
        message = _message(workspace, _items(workspace, now), sent or frozenset(), links)
        is_well = sent is None and not message.items
        if is_well or (sent is not None and _fingerprint(sent) == message.fingerprint):
            return None
        _log_and_send(workspace, message, {item.fingerprint for item in message.items}, post)
        return message

    return _one_at_a_time(workspace, send_changes)


def notify_failure(
    workspace: Workspace,
    now: datetime | None = None,
    post: Post | None = None,
    links: dict[str, str] | None = None,
    task: Item | None = None,
) -> Message | None:
    """Log and send at once which loads have failed; None when all of them were sent before.

    `task` is the task that has failed: it is sent as well when no load explains it.
    """

    def send_failed(before: frozenset[str] | None) -> Message | None:
        sent = before or frozenset()
        failed = [item for item in _items(workspace, now) if item.rule in FAILED_LOADS]
        unsent = [item for item in failed if item.fingerprint not in sent]
        if task is not None and not any(item.what in task.what for item in failed):
            unsent.append(task)
        if not unsent:
            return None
        message = _message(workspace, unsent, frozenset(), links)
        _log_and_send(workspace, message, {*sent, *(item.fingerprint for item in failed)}, post)
        return message

    return _one_at_a_time(workspace, send_failed)


def failed_task(settings: Settings, name: str, owner: str, sentence: str) -> Item:
    """A task of a scheduler that has failed for good."""
    runbook = f"{settings.runbook}#{CHAPTERS['task_failed']}"
    return Item("", "task_failed", 0, f"The task `{name}` failed: {sentence}", owner, runbook)


def send_test(settings: Settings, post: Post | None = None) -> str:
    """Send a test alert; returns who took it. UserError says why it did not arrive, and what to do."""
    title = f"Loyalty warehouse {harmless(settings.workspace.name)}: this is a test alert"
    line = "Alerts of this workspace arrive here. Nothing has to be done."
    document = {"workspace": harmless(settings.workspace.name), "severity": "test", "items": []}
    alert = Alert(title, (("", (line,)),), _links(settings), document)
    return send(settings, alert, attempts=1, post=post)


def _message(
    workspace: Workspace, items: Iterable[Item], sent: frozenset[str], links: dict[str, str] | None
) -> Message:
    settings = workspace.settings
    links = {**_links(settings), **(links or {})}
    return Message(tuple(items), sent, settings.workspace.name, links, tuple(_newly_done(workspace)))


def _newly_done(workspace: Workspace) -> list[str]:
    """What people did before the current generation, if it was published after the last message."""
    for event in workspace.ledger.newest_first("publish", "notify"):
        if event.kind == "notify":
            return []
        if event.data["outcome"] == "published":
            current = current_generation(workspace.settings)
            is_shown = current is not None and current.number == event.data["generation"]
            return (sentences(current.manifest, Words("en")) or []) if current and is_shown else []
    return []


def _links(settings: Settings) -> dict[str, str]:
    """Where the report of the current generation is."""
    report = settings.serve / "current" / REPORT
    return {"Report": str(report)} if report.is_file() else {}


def _one_at_a_time(workspace: Workspace, send_new: Callable[[frozenset[str] | None], Message | None]) -> Message | None:
    """Call `send_new` with the fingerprints that were sent; tasks that end together do not send an item twice."""
    lock = workspace.settings.home / "work" / "notify.lock"
    try:
        with file_lock(lock, "notify", LOCK_SECONDS):
            last = workspace.ledger.last("notify")
            return send_new(frozenset(last.data.get("items", [])) if last else None)
    except LockBusy as error:
        workspace.progress.log(f"{error} What needs attention is sent with the next run.")
        return None


def _log_and_send(workspace: Workspace, message: Message, sent: Iterable[str], post: Post | None) -> None:
    """Log and send a message, and record in the ledger what is `sent` by now."""
    workspace.progress.log(message.written())
    if workspace.settings.notify_url:
        try:
            send(workspace.settings, message.sendable(), post=post)
        except UserError as error:
            workspace.progress.log(f"{error} It is tried again with the next run.")
            return
    failpoint("notify.sent")
    fingerprints = sorted(sent)
    workspace.ledger.append(
        "notify", fingerprint=_fingerprint(fingerprints), item_count=len(fingerprints), items=fingerprints
    )


def _fingerprint(fingerprints: Iterable[str]) -> str:
    return hashlib.sha256("".join(sorted(fingerprints)).encode()).hexdigest()


def _items(workspace: Workspace, now: datetime | None) -> list[Item]:
    settings, ledger = workspace.settings, workspace.ledger
    feeds = load_feeds(settings.feeds)
    runbooks = {
        name: (isinstance(feed, FeedConfig) and feed.runbook) or settings.runbook for name, feed in feeds.items()
    }
    owners = {name: feed.owner for name, feed in feeds.items()}

    def item(feed: str, rule: str, rows: int, what: str) -> Item:
        runbook = runbooks.get(feed, settings.runbook)
        if runbook == settings.runbook:  # ours has chapters; a feed's own is taken as it is given
            runbook = f"{runbook}#{CHAPTERS.get(rule, QUARANTINED)}"
        return Item(feed, rule, rows, what, owners.get(feed, settings.owner), runbook)

    found = [
        item("", f"{kind}_failed", 0, f"The last {kind} failed: {sentence}") for kind, sentence in failed_runs(ledger)
    ]
    if plan.is_held(ledger):
        found.append(item("", "held", 0, "Publishing is held since a rollback: `loyalty publish --resume`."))
    current = current_generation(settings)
    found += [
        item("", "withheld", 0, sentence[:1].upper() + sentence[1:])
        for sentence in (current.withheld if current else [])
    ]
    for warnings in _grouped_warnings(settings):
        largest = warnings[0]
        names = (
            name
            for name, one in feeds.items()
            if isinstance(one, FeedConfig) and (one.canonical_name, one.source) == (largest.feed, largest.source)
        )
        more = f" `loyalty status` shows {len(warnings) - 1:,} more of this kind." if len(warnings) > 1 else ""
        sentence = f"Warning: {largest.sentence}.{more}"
        warned = item(next(names, ""), "data_warning", sum(one.row_count for one in warnings), sentence)
        found.append(replace(warned, subject=f"{largest.feed}, {largest.source}, {largest.warning}"))
    for state in feed_states(workspace, now):
        if state.last_outcome in ("disabled", "failed"):
            rule = {"disabled": "feed_disabled", "failed": "load_failed"}[state.last_outcome]
            found.append(item(state.name, rule, 0, state.message))
        if state.is_late and state.last_accepted:
            when = f"{state.last_accepted:%Y-%m-%d %H:%M}"
            found.append(
                item(state.name, "late", 0, f"Feed `{state.name}` is late: its last delivery came {when} UTC.")
            )
    for name, reason in _rejected(ledger):
        if name in feeds:
            found.append(item(name, "rejected", 0, reason))
    for (name, rules), rows in _quarantined(workspace).items():
        first = ", ".join(f"{row.file} line {row.line}" for row in rows[:EXAMPLE_LINES])
        more = " ..." if len(rows) > EXAMPLE_LINES else ""
        why = rows[0].reason.rstrip(".")
        many = f"{counted(len(rows), 'row')} {'is' if len(rows) == 1 else 'are'}"
        what = f"Feed `{name}`: {many} in quarantine by {rules} ({first}{more}): {why}."
        found.append(item(name, rules, len(rows), what))
    return found


def _grouped_warnings(settings: Settings) -> list[list[DataWarning]]:
    """The warnings of the published data by feed, source and kind, those with most rows first; without notices."""
    grouped: dict[tuple[str, str, str], list[DataWarning]] = defaultdict(list)
    for warning in sorted(data_warnings(settings), key=lambda one: -one.row_count):
        if warning.severity == "warning":
            grouped[warning.feed, warning.source, warning.warning].append(warning)
    return list(grouped.values())


def _rejected(ledger: Ledger) -> list[tuple[str, str]]:
    """Files whose last delivery was rejected."""
    return [(event.data["feed_name"], event.data["reason"]) for event in ledger.rejected_files()]


def _quarantined(workspace: Workspace) -> dict[tuple[str, str], list[quarantine.Entry]]:
    """The open rows by feed and rules. The message has their file, line and reason, never their content."""
    rows: dict[tuple[str, str], list[quarantine.Entry]] = defaultdict(list)
    for entry in quarantine.entries(workspace, only_open=True):
        rows[entry.feed_name, entry.rules].append(entry)
    return rows
