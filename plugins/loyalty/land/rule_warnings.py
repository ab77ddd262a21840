"""What rules that only warn have found in the files of a feed: one sentence a rule, with number, unit and remedy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from loyalty.common.counted import counted
from loyalty.land.gate import RuleResult

# A result and the rows of its load.
Found = tuple[RuleResult, int]

OF_THE_MAPPING = "its mapping under `columns` in the feed's YAML"


def warning_sentences(loads: Iterable[tuple[Sequence[RuleResult], int]]) -> list[str]:
    """A sentence for each rule that warned in these loads: the rule, in how many rows of how many, why, and what to do.

    `loads` has the results of each accepted load and its number of landed rows.
    """
    found: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for results, rows in loads:
        for result in results:
            if result.severity == "warning":
                found[result.rule, result.because].append((result, rows))
    return [
        ". ".join(
            part for part in (f"{rule} {_number(of_rule)}: {because.rstrip('.')}", _remedy(of_rule[0][0])) if part
        )
        for (rule, because), of_rule in sorted(found.items())
        if any(result.failed for result, _ in of_rule)
    ]


def _number(found: Sequence[Found]) -> str:
    """How much a rule has found, with its unit."""
    first = found[0][0]
    failed = [(result, rows) for result, rows in found if result.failed]
    if first.level == "row":
        return _of_rows(sum(result.failed for result, _ in found), sum(result.evaluated for result, _ in found))
    in_files = f"in {len(failed):,} of {counted(len(found), 'file')}"
    if any(result.observed is None for result, _ in failed):
        return in_files
    total = sum(rows for _, rows in found)
    observed = [(float(result.observed or 0), rows) for result, rows in failed]
    if first.column == "duplicate_key_count":
        return _of_rows(sum(round(count) for count, _ in observed), total)
    if first.column.startswith("null_rate_"):
        return _of_rows(sum(round(rate * rows) for rate, rows in observed), total)
    value, rows = observed[-1]
    if first.column == "unknown_customer_rate":
        return f"(not known in {value:.1%} of the rows with a customer)"
    if first.column == "rows_vs_median":
        return f"({counted(rows, 'row')}, {value:.2g} times as many as usual)"
    return f"{in_files} ({first.column} is {value:g})"


def _of_rows(count: int, rows: int) -> str:
    return f"in {count:,} of {counted(rows, 'row')}"


def _remedy(result: RuleResult) -> str:
    """What to do; empty where the reason says it."""
    if result.level == "row":
        columns = " and ".join(f"`{name}`" for name in result.column.split(", "))
        return f"Correct {columns} in the export, or {OF_THE_MAPPING}"
    if result.column == "duplicate_key_count":
        return "Let the export have each key once, or correct the key under `columns` in the feed's YAML"
    if result.column.startswith("null_rate_"):
        return f"Deliver `{result.column.removeprefix('null_rate_')}`, or correct {OF_THE_MAPPING}"
    if result.column == "unknown_customer_rate":
        return "Deliver these customers in the feed customers, or map `customer_id` to the same ids in both feeds"
    if result.column == "rows_vs_median":
        return "Look at the export's filter; if the number is right, nothing has to be done"
    return "" if result.observed is None else "Correct the export, or the rule in its suite"
