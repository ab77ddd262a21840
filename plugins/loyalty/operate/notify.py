"""One message about all that needs attention, sent once: the same state is not reported twice.

The message is made from the ledger, so it is the same whether the run had a scheduler or not.
"""

from __future__ import annotations

import hashlib
import html
import http.client
import json
import re
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from loyalty.build import plan
from loyalty.common.errors import UserError
from loyalty.common.failpoints import failpoint
from loyalty.common.ledger import Ledger
from loyalty.common.runs import failed_runs
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.land import quarantine
from loyalty.operate.status import feed_states
from loyalty.publish.generations import current_generation
from loyalty.pull.feeds import FeedConfig, load_feeds
from loyalty.read.data_warnings import DataWarning, data_warnings

EXAMPLE_LINES = 3
POST_SECONDS = 10
POST_ATTEMPTS = 3

Post = Callable[[str, dict[str, Any]], None]

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
}
# What feeds, files and cells have named: a chat may take it for a link, a person or a mark.
OF_OTHERS = ("feed", "rule", "what", "owner")
NO_BREAK = "\u200b"  # a blank without width
LIVE_MARKS = re.compile(r"@|\](?=\()|:(?=//)|www(?=\.)|#(?=\w)", re.IGNORECASE)

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
    def fingerprint(self) -> str:
        """Equal for equal things."""
        kept = {"feed": self.feed, "rule": self.rule, "subject": self.subject} if self.subject else asdict(self)
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Message:
    """All that needs attention now; the items that were `sent` before are counted and not repeated."""

    items: tuple[Item, ...]
    sent: frozenset[str] = frozenset()

    @property
    def news(self) -> tuple[Item, ...]:
        """The items that were not sent before."""
        return tuple(item for item in self.items if item.fingerprint not in self.sent)

    @property
    def fingerprint(self) -> str:
        """Equal for equal states."""
        return hashlib.sha256("".join(sorted(item.fingerprint for item in self.items)).encode()).hexdigest()

    def written(self, name: Callable[[str], str] = str) -> str:
        """The message for people; `name` writes what others have named, such as files."""
        if not self.items:
            return "Loyalty warehouse: all is well again."
        count, unchanged = len(self.items), len(self.items) - len(self.news)
        lines = [f"Loyalty warehouse: {count} {'thing needs' if count == 1 else 'things need'} attention"]
        for item in self.news:
            lines.append(f"- {name(item.what)} Owner: {name(item.owner)}. Next step: {item.runbook}")
        if unchanged:
            lines.append(f"- {unchanged} unchanged since the last message; `loyalty status` shows all.")
        return "\n".join(lines)


def notify(workspace: Workspace, now: datetime | None = None, post: Post | None = None) -> Message | None:
    """Log what needs attention, and send it to the workspace's webhook; None when nothing has changed.

    A webhook that cannot be reached is logged and tried again next time; it never fails a run.
    """
    settings, ledger = workspace.settings, workspace.ledger
    last = ledger.last("notify")
    message = Message(tuple(_items(workspace, now)), frozenset(last.data.get("items", [])) if last else frozenset())
    if (last is None and not message.items) or (last and last.data["fingerprint"] == message.fingerprint):
        return None
    workspace.progress.log(message.written())
    if settings.notify_url:
        try:
            _send(settings.notify_url, message, post or _post)
        except UserError as error:
            workspace.progress.log(str(error))
            return message
    failpoint("notify.sent")
    sent = sorted(item.fingerprint for item in message.items)
    ledger.append("notify", fingerprint=message.fingerprint, item_count=len(message.items), items=sent)
    return message


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
        many = f"{len(rows):,} rows are" if len(rows) > 1 else "1 row is"
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


def _send(url: str, message: Message, post: Post) -> None:
    items = [{**asdict(item), **{key: harmless(getattr(item, key)) for key in OF_OTHERS}} for item in message.news]
    content = {"text": message.written(harmless), "fingerprint": message.fingerprint, "items": items}
    if not url.startswith(("https://", "http://")):
        raise UserError("notify_url is not an http or https address: the message was only written here.")
    attempts = Retrying(
        stop=stop_after_attempt(POST_ATTEMPTS),
        wait=wait_exponential(multiplier=0.5, max=5),
        retry=retry_if_exception_type(OSError),
        reraise=True,
    )
    try:
        attempts(post, url, content)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UserError(
            f"notify_url could not be reached ({type(error).__name__}); it is tried again next time."
        ) from None


def harmless(text: str) -> str:
    """A text in which Slack, Teams and pages in HTML find no mark, link or person of theirs."""
    return LIVE_MARKS.sub(rf"\g<0>{NO_BREAK}", html.escape(text, quote=False))


def _post(url: str, content: dict[str, Any]) -> None:
    """Send the document, within `POST_SECONDS`: a receiver that answers drop by drop holds no run up."""
    body = json.dumps(content, ensure_ascii=False).encode()
    failed: list[Exception] = []

    def send() -> None:
        try:
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - http(s) only
            with urllib.request.urlopen(request, timeout=POST_SECONDS):  # noqa: S310
                pass
        except Exception as error:
            failed.append(error)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    sender.join(POST_SECONDS)
    if sender.is_alive():
        raise TimeoutError
    if failed:
        raise failed[0]
