"""The nightly run without a scheduler: load every feed, plan, build, publish, notify, and print the result.

Each step is the function that the scheduled tasks call as well. A feed that fails never stops the others,
and a run that cannot publish leaves the published marts as they were.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from loyalty.build import build
from loyalty.build.plan import make_plan
from loyalty.build.raw_views import nothing_to_build_sentence
from loyalty.common.counted import counted
from loyalty.common.errors import UserError, keep_traceback
from loyalty.common.failpoints import failpoint
from loyalty.common.ledger import Ledger
from loyalty.common.progress import Progress
from loyalty.common.runs import recorded_run
from loyalty.common.settings import Settings
from loyalty.common.text_table import table
from loyalty.common.workspace import Workspace
from loyalty.land.landing import LoadOutcome, load_feed
from loyalty.land.rule_warnings import warning_sentences
from loyalty.operate.housekeeping import prune
from loyalty.operate.notify import notify, notify_failure
from loyalty.operate.publishing import publish, show_state
from loyalty.publish import postgres
from loyalty.publish.generations import Generation, current_generation
from loyalty.pull.feeds import BrokenFeed, FeedConfig, load_feeds, usable_feeds
from loyalty.pull.sources.files import names_that_do_not_fit, shown
from loyalty.read.answers import answers
from loyalty.read.data_warnings import data_warnings
from loyalty.read.handled_sentences import done_since

CLEAN, NOT_PUBLISHED, WITH_REJECTS = 0, 1, 3
SHOWN_NAMES = 5
GROUPS = ("crm", "orders", "surveys")  # customers first: other loads are checked against them


@dataclass
class FeedResult:
    """The result of one feed in a run; `error` says why the feed could not be loaded at all."""

    name: str
    outcomes: list[LoadOutcome] = field(default_factory=list)
    error: str = ""

    @property
    def rejects(self) -> list[str]:
        """Sentences about rejected files."""
        rejected = [outcome.message for outcome in self.outcomes if outcome.outcome == "rejected"]
        return [*rejected, self.error] if self.error else rejected

    @property
    def warnings(self) -> list[str]:
        """One sentence for each wrong meaning, and for each rule that warns."""
        meanings = [sentence for outcome in self.outcomes for sentence in outcome.meanings]
        accepted = [(outcome.rules, outcome.rows) for outcome in self.outcomes if outcome.outcome == "accepted"]
        return [f"{self.name}: {sentence}" for sentence in (*meanings, *warning_sentences(accepted))]

    @property
    def row(self) -> tuple[str, int, int, int, str]:
        """Feed, files, rows landed, rows quarantined, and why."""
        accepted = [outcome for outcome in self.outcomes if outcome.outcome == "accepted"]
        rules: Counter[str] = Counter()
        for rule in (rule for outcome in accepted for rule in outcome.rules):
            if rule.level == "row" and rule.severity == "critical" and rule.failed:
                rules[rule.rule] += rule.failed
        why = ", ".join(f"{rule} {count:,}" for rule, count in sorted(rules.items()))
        rejected = f"{len(self.rejects)} rejected" if self.rejects else ""
        return (
            self.name,
            len(self.outcomes),
            sum(outcome.rows for outcome in accepted),
            sum(outcome.quarantined for outcome in accepted),
            "; ".join(part for part in (why, rejected) if part),
        )


def run_nightly(workspace: Workspace, as_of: date | None = None, now: datetime | None = None) -> int:
    """Load, plan, build, publish, notify.

    Returns 0 clean, 3 published with rejected files or withheld marts, 1 not published.
    """
    started = time.monotonic()
    settings, progress = workspace.settings, workspace.progress
    with recorded_run(workspace.ledger, "night") as run:
        feeds = load_all(workspace, now)
        rejects = [sentence for feed in feeds for sentence in feed.rejects]
        if rejects:  # a build takes its time
            notify_failure(workspace, now)
        problem = ""
        generation: Generation | None = None
        try:
            generation = build_and_publish(workspace, as_of, now)
            if generation is None and current_generation(settings) is None:
                problem = nothing_to_build_sentence(settings)
        except UserError as error:
            problem = str(error)
        except Exception as error:
            file = keep_traceback(settings.home / "logs", "nightly")
            problem = f"the build stopped with an unexpected {type(error).__name__}; details in {file}."
        current = current_generation(settings)
        progress.log("")
        log_feeds(feeds, progress)
        for sentence in rejects:
            progress.log(f"rejected: {sentence}")
        for sentence in [*(warning for feed in feeds for warning in feed.warnings), *unread_files(settings)]:
            progress.log(f"warning: {sentence}")
        if current is not None:
            log_generation(current, progress)
            for sentence in done_since(generation) if generation else []:
                progress.log(sentence)
            for sentence in answers(settings):
                progress.log(sentence)
            found = [f"{one.severity}: {one.sentence}" for one in data_warnings(settings)]
            for sentence in [*current.withheld, *not_said_before(found, _said_in_last_run(workspace.ledger))]:
                progress.log(sentence)
            run.found["warnings"] = [fingerprint(sentence) for sentence in found]
        prune(workspace, now)
        notify(workspace, now)
        flaws = [*rejects, *(current.withheld if current else [])]
        code = NOT_PUBLISHED if problem or current is None else WITH_REJECTS if flaws else CLEAN
        run.found |= {"outcome": {CLEAN: "done", WITH_REJECTS: "rejects", NOT_PUBLISHED: "failed"}[code]}
        run.found |= {"message": problem or "; ".join(flaws)}
        if generation is not None:
            run.found |= {"build_id": generation.manifest["build_id"], "generation": generation.number}
    if problem:
        progress.log(f"not published: {problem}")
    progress.log(f"the nightly run took {time.monotonic() - started:.1f} s")
    return code


def not_said_before(sentences: list[str], before: Collection[str]) -> list[str]:
    """The warnings that are new or changed, whole, and one line about those whose fingerprint is in `before`."""
    new = [sentence for sentence in sentences if fingerprint(sentence) not in before]
    if len(new) == len(sentences):
        return new
    same = counted(len(sentences) - len(new), "warning")
    return [*new, f"{same} of the data as in the last run: `loyalty status` shows all"]


def fingerprint(sentence: str) -> str:
    """Short and equal for equal sentences: the ledger keeps no words of the data."""
    return hashlib.sha256(sentence.encode()).hexdigest()[:16]


def _said_in_last_run(ledger: Ledger) -> Collection[str]:
    last = ledger.last_runs().get("night")
    return set(last.data.get("warnings", [])) if last else set()


def load_all(workspace: Workspace, now: datetime | None = None) -> list[FeedResult]:
    """Load what is new of every feed of the registry."""

    def order(feed: FeedConfig | BrokenFeed) -> tuple[bool, int, str]:
        is_customers = isinstance(feed, FeedConfig) and feed.canonical_name == "customers"
        return not is_customers, GROUPS.index(feed.group), feed.name

    feeds = sorted(load_feeds(workspace.settings.feeds).values(), key=order)
    return [load_one(workspace, feed, now) for feed in feeds]


def load_one(workspace: Workspace, feed: FeedConfig | BrokenFeed, now: datetime | None = None) -> FeedResult:
    """Load what is new of one feed; a fault stays with this feed."""
    if isinstance(feed, BrokenFeed):
        return FeedResult(feed.name, error=feed.message)
    try:
        return FeedResult(feed.name, load_feed(workspace, feed, now=now))
    except UserError as error:
        return FeedResult(feed.name, error=str(error))
    except Exception as error:
        file = keep_traceback(workspace.settings.home / "logs", feed.name)
        return FeedResult(
            feed.name, error=f"Feed `{feed.name}` stopped with an unexpected {type(error).__name__}; details in {file}."
        )


def build_and_publish(
    workspace: Workspace, as_of: date | None = None, now: datetime | None = None
) -> Generation | None:
    """Do what the plan asks for; None when readers have everything already, then in PostgreSQL as well."""
    plan = make_plan(workspace, as_of)
    for reason in plan.reasons:
        workspace.progress.log(f"plan: {reason}")
    failpoint("plan.made")
    if not plan.is_needed:
        show_state(workspace)
        postgres.show_current(workspace)
        return None
    build_id = build.build(workspace, as_of).build_id if plan.needs_build else plan.build_id
    return publish(workspace, build_id, now=now)


def unread_files(settings: Settings) -> list[str]:
    """One sentence for each feed beside whose exports there are files that look like one and do not fit its path."""
    feeds = list(usable_feeds(settings.feeds).values())
    found = [(feed, names_that_do_not_fit(settings, feed, feeds)) for feed in feeds]
    return [
        f"{feed.name}: not read, because the name does not fit `{Path(feed.path or '').name}` with a date YYYY-MM-DD: "
        + ", ".join(map(shown, names[:SHOWN_NAMES]))
        + (f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else "")
        for feed, names in found
        if names
    ]


def log_feeds(feeds: list[FeedResult], progress: Progress) -> None:
    """Print the table of the run's deliveries."""
    rows = [feed.row for feed in feeds if feed.outcomes or feed.error]
    if not rows:
        progress.log("no feed brought anything new")
        return
    progress.log(table(("feed", "files", "rows landed", "quarantined", "why"), rows, progress.width))


def log_generation(generation: Generation, progress: Progress) -> None:
    """Print the published marts with their rows."""
    progress.log(table(("mart", "rows"), list(generation.mart_rows.items()), progress.width))
    progress.log(f"generation {generation.name}, as of {generation.manifest['as_of']}: {generation.folder}")
