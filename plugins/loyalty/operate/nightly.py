"""The whole night without a scheduler: load every feed, plan, build, publish, notify, and say what came of it.

Each step is the function that the scheduled tasks call as well. A feed that fails never stops the others,
and a night that could not publish leaves the published marts as they were.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime

from loyalty.build import build
from loyalty.build.plan import make_plan
from loyalty.build.raw_views import no_orders_sentence
from loyalty.common.errors import UserError, keep_traceback
from loyalty.common.failpoints import hit
from loyalty.common.progress import Say
from loyalty.common.runs import recorded_run
from loyalty.common.settings import Settings
from loyalty.common.text_table import table
from loyalty.land.landing import LoadOutcome, load_feed
from loyalty.operate.notify import notify
from loyalty.publish.generations import Generation, current_generation
from loyalty.publish.publish import publish
from loyalty.pull.feeds import BrokenFeed, FeedConfig, load_feeds
from loyalty.read.answers import answers

log = logging.getLogger(__name__)

CLEAN, NOT_PUBLISHED, WITH_REJECTS = 0, 1, 3
GROUPS = ("crm", "orders", "surveys")  # customers first: other loads are checked against them


@dataclass
class FeedNight:
    """What one feed brought tonight; `error` is the sentence when it could not be loaded at all."""

    name: str
    outcomes: list[LoadOutcome] = field(default_factory=list)
    error: str = ""

    @property
    def rejects(self) -> list[str]:
        """Sentences about what was refused."""
        refused = [outcome.message for outcome in self.outcomes if outcome.outcome == "rejected"]
        return [*refused, self.error] if self.error else refused

    @property
    def row(self) -> tuple[str, int, int, int, str]:
        """Feed, files, rows landed, rows held back, and why."""
        accepted = [outcome for outcome in self.outcomes if outcome.outcome == "accepted"]
        rules: Counter[str] = Counter()
        for rule in (rule for outcome in accepted for rule in outcome.rules):
            if rule.level == "row" and rule.severity == "critical" and rule.failed:
                rules[rule.rule] += rule.failed
        why = ", ".join(f"{rule} {count:,}" for rule, count in sorted(rules.items()))
        refused = f"{len(self.rejects)} refused" if self.rejects else ""
        return (
            self.name,
            len(self.outcomes),
            sum(outcome.rows for outcome in accepted),
            sum(outcome.quarantined for outcome in accepted),
            "; ".join(part for part in (why, refused) if part),
        )


def run_night(settings: Settings, as_of: date | None = None, say: Say = print, now: datetime | None = None) -> int:
    """Load, plan, build, publish, notify. Returns 0 clean, 3 published with rejects, 1 not published."""
    started = time.monotonic()
    with recorded_run(settings, "night") as run:
        feeds = load_all(settings, say, now)
        rejects = [sentence for feed in feeds for sentence in feed.rejects]
        problem = ""
        generation: Generation | None = None
        try:
            generation = build_and_publish(settings, as_of, say, now)
            if generation is None and current_generation(settings) is None:
                problem = no_orders_sentence(settings)
        except UserError as error:
            problem = str(error)
        except Exception as error:
            file = keep_traceback(settings.home / "logs", "night")
            problem = f"the build stopped with an unexpected {type(error).__name__}; details in {file}."
        current = current_generation(settings)
        say("")
        say_feeds(feeds, say)
        for sentence in rejects:
            say(f"refused: {sentence}")
        if current is not None:
            say_generation(current, say)
            for sentence in answers(settings):
                say(sentence)
        notify(settings, say, now)
        code = NOT_PUBLISHED if problem or current is None else WITH_REJECTS if rejects else CLEAN
        run.found |= {"outcome": {CLEAN: "done", WITH_REJECTS: "rejects", NOT_PUBLISHED: "failed"}[code]}
        run.found |= {"message": problem or "; ".join(rejects)}
        if generation is not None:
            run.found |= {"build_id": generation.manifest["build_id"], "generation": generation.number}
    if problem:
        say(f"not published: {problem}")
    say(f"the night took {time.monotonic() - started:.1f} s")
    return code


def load_all(settings: Settings, say: Say = print, now: datetime | None = None) -> list[FeedNight]:
    """Load what is new of every feed of the registry."""
    feeds = sorted(load_feeds(settings.feeds).values(), key=lambda feed: (GROUPS.index(feed.group), feed.name))
    customers_first = sorted(feeds, key=lambda feed: not (isinstance(feed, FeedConfig) and feed.feed == "customers"))
    return [load_one(settings, feed, say, now) for feed in customers_first]


def load_one(
    settings: Settings, feed: FeedConfig | BrokenFeed, say: Say = print, now: datetime | None = None
) -> FeedNight:
    """Load what is new of one feed; whatever goes wrong stays with this feed."""
    if isinstance(feed, BrokenFeed):
        return FeedNight(feed.name, error=feed.message)
    try:
        return FeedNight(feed.name, load_feed(settings, feed, say=say, now=now))
    except UserError as error:
        return FeedNight(feed.name, error=str(error))
    except Exception as error:
        file = keep_traceback(settings.home / "logs", feed.name)
        return FeedNight(
            feed.name, error=f"Feed `{feed.name}` stopped with an unexpected {type(error).__name__}; details in {file}."
        )


def build_and_publish(
    settings: Settings, as_of: date | None = None, say: Say = print, now: datetime | None = None
) -> Generation | None:
    """Do what the plan asks for; None when readers have everything already."""
    plan = make_plan(settings, as_of)
    for reason in plan.reasons:
        say(f"plan: {reason}")
    hit("plan.made")
    if not plan.is_needed:
        return None
    build_id = build.build(settings, as_of, say=say).build_id if plan.needs_build else plan.build_id
    return publish(settings, build_id, say, now=now)


def say_feeds(feeds: list[FeedNight], say: Say) -> None:
    """The table of tonight's deliveries."""
    rows = [feed.row for feed in feeds if feed.outcomes or feed.error]
    if not rows:
        say("no feed brought anything new")
        return
    say(table(("feed", "files", "rows landed", "held back", "why"), rows))


def say_generation(generation: Generation, say: Say) -> None:
    """The published marts with their rows."""
    say(table(("mart", "rows"), list(generation.mart_rows.items())))
    say(f"generation {generation.name}, as of {generation.manifest['as_of']}: {generation.folder}")
