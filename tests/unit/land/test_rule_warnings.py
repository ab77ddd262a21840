"""A rule that warns says in how many rows of how many, and what to do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from loyalty.common.settings import shipped
from loyalty.land.gate import RuleResult, load_suite
from loyalty.land.landing import LoadOutcome
from loyalty.land.rule_warnings import warning_sentences
from loyalty.operate.nightly import FeedResult
from loyalty.pull.contract import load_contract

OF_LOAD = RuleResult("load", "rule", "null_rate_cost_amount", "warning", 1, 1, "1.0", "Costs are not known.")
MAPPING = "its mapping under `columns` in the feed's YAML"


def of_load(column: str, observed: str | None, failed: int = 1) -> RuleResult:
    return replace(OF_LOAD, column=column, observed=observed, failed=failed)


# Worked by hand: 0.25 of 12 rows are 3; 3 and 12 of 12 are 15 of 24.
SENTENCES = {
    "empty cells": (
        [(of_load("null_rate_cost_amount", "0.25"), 12)],
        f"rule in 3 of 12 rows: Costs are not known. Deliver `cost_amount`, or correct {MAPPING}",
    ),
    "empty cells of two files": (
        [(of_load("null_rate_cost_amount", "0.25"), 12), (of_load("null_rate_cost_amount", "1.0"), 12)],
        f"rule in 15 of 24 rows: Costs are not known. Deliver `cost_amount`, or correct {MAPPING}",
    ),
    "keys that come twice": (
        [(of_load("duplicate_key_count", "1"), 12), (of_load("duplicate_key_count", "0", failed=0), 1_000)],
        "rule in 1 of 1,012 rows: Costs are not known. Let the export have each key once, or correct the key under "
        "`columns` in the feed's YAML",
    ),
    "unknown customers": (
        [(of_load("unknown_customer_rate", "0.125"), 8)],
        "rule (not known in 12.5% of the rows with a customer): Costs are not known. Deliver these customers in the "
        "feed customers, or map `customer_id` to the same ids in both feeds",
    ),
    "volume": (
        [(of_load("rows_vs_median", "12.0"), 1_200)],
        "rule (1,200 rows, 12 times as many as usual): Costs are not known. Look at the export's filter; if the number "
        "is right, nothing has to be done",
    ),
    "a rule of the workspace": (
        [(of_load("sum_total_amount", "3.50"), 1)],
        "rule in 1 of 1 file (sum_total_amount is 3.5): Costs are not known. Correct the export, or the rule in "
        "its suite",
    ),
    "a dropped column": (
        [(of_load("Remarks", None), 5)],
        "rule in 1 of 1 file: Costs are not known",
    ),
    "rows": (
        [
            (replace(OF_LOAD, level="row", column="status", evaluated=9, failed=2), 9),
            (replace(OF_LOAD, level="row", column="status", evaluated=3, failed=0), 3),
        ],
        f"rule in 2 of 12 rows: Costs are not known. Correct `status` in the export, or {MAPPING}",
    ),
}


@pytest.mark.parametrize("name", list(SENTENCES))
def test_a_warning_says_number_unit_and_remedy(name: str) -> None:
    loads, sentence = SENTENCES[name]
    assert warning_sentences([([result], rows) for result, rows in loads]) == [sentence]


def test_rules_that_hold_and_critical_ones_are_no_warnings() -> None:
    assert warning_sentences([([replace(OF_LOAD, failed=0), replace(OF_LOAD, severity="critical")], 12)]) == []


@pytest.mark.parametrize("feed", list(load_contract()))
def test_every_warning_of_a_shipped_suite_has_a_number_with_a_unit_and_a_remedy(feed: str) -> None:
    suite = load_suite(shipped("expectations"), feed)
    results = [
        RuleResult(level, rule.name, rule.expectation.column, "warning", 12, 1, "1", rule.because)
        for level, rules in (("row", suite.rows), ("load", suite.load))
        for rule in rules
        if rule.severity == "warning"
    ]
    sentences = warning_sentences([(results, 12)])
    assert len(sentences) == len(results)
    unknown, usual = r"\(not known in 100\.0% of the rows with a customer\)", r"\(12 rows, 1 times as many as usual\)"
    number = rf"\w+ (in \d+ of 12 rows|{unknown}|{usual}): "
    remedy = r"\. (Correct|Deliver|Let the export|Look at) .*[^.]$"
    assert [sentence for sentence in sentences if not re.match(number + ".*" + remedy, sentence)] == []


def test_the_nightly_run_says_them_with_the_feed() -> None:
    outcome = LoadOutcome("al", "al.csv", "x", "accepted", rows=12, rules=[of_load("null_rate_cost_amount", "1.0")])
    rejected = replace(outcome, outcome="rejected")
    assert FeedResult("al", [outcome, rejected]).warnings == [
        f"al: rule in 12 of 12 rows: Costs are not known. Deliver `cost_amount`, or correct {MAPPING}"
    ]
