"""The gate: checks on rows and on whole loads, run by Great Expectations.

`expectations/<feed>.yml` holds the rules of a canonical feed in two lists. `rows` are asked of every
batch: a row that breaks a critical rule is quarantined, a warning is counted. `load` is asked of the
one-row profile of the whole load: critical rejects it, a warning flags it. A rule that cannot run is
an error in the suite, never bad data.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loyalty.common import strict_yaml
from loyalty.common.errors import UserError, as_found, yaml_fault
from loyalty.land.numbers import UNITS_OF_A_DOLLAR
from loyalty.pull.contract import CanonicalFeed

Severity = Literal["critical", "warning"]
Level = Literal["row", "load"]


# `total_amount_scaled` in a rule is total_amount over the power of ten that a US dollar is at most in its currency, so
# that one limit serves rupiah and euros alike.
SCALED = "_scaled"


class Expectation(BaseModel):
    """A Great Expectations expectation: its type and keyword arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    kwargs: dict[str, Any] = Field(default_factory=dict)

    @property
    def column(self) -> str:
        """The column, or the columns, that the expectation checks."""
        names = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        return ", ".join(name.removesuffix(SCALED) for name in [*names, *self.kwargs.get("column_list", [])])

    @property
    def limit(self) -> float | None:
        """The largest amount in US dollars, of an expectation about a scaled amount."""
        is_scaled = str(self.kwargs.get("column", "")).endswith(SCALED)
        return float(self.kwargs["max_value"]) if is_scaled and "max_value" in self.kwargs else None


# Expectations that look at one row at a time.
OF_ROWS = frozenset(
    f"expect_{kind}"
    for kind in (
        "column_pair_values_a_to_be_greater_than_b",
        "column_pair_values_to_be_equal",
        "column_value_lengths_to_be_between",
        "column_values_to_be_between",
        "column_values_to_be_in_set",
        "column_values_to_match_regex",
        "column_values_to_not_be_in_set",
        "column_values_to_not_be_null",
        "column_values_to_not_match_regex",
    )
)


class Rule(BaseModel):
    """One named rule of a suite, how bad it is when broken, and why it is there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    severity: Severity
    because: str
    expectation: Expectation


class Suite(BaseModel):
    """The rules of one canonical feed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feed: str
    rows: list[Rule] = Field(default_factory=list)
    load: list[Rule] = Field(default_factory=list)


@dataclass(frozen=True)
class RuleResult:
    """The result of one rule over a whole load."""

    level: Level
    rule: str
    column: str
    severity: Severity
    evaluated: int
    failed: int
    observed: str | None
    because: str

    @property
    def is_success(self) -> bool:
        """Whether nothing broke the rule."""
        return self.failed == 0


@dataclass(frozen=True)
class RowCheck:
    """The outcome of the row rules on one batch: results, and for each broken row the critical rules it broke."""

    results: list[RuleResult]
    broken: dict[int, list[Rule]]


def load_suite(folder: Path, feed: str) -> Suite:
    """The suite of a canonical feed; an empty one where there is no file.

    Raises UserError naming the file, the key and what was expected.
    """
    file = folder / f"{feed}.yml"
    if not folder.is_dir():
        raise UserError(
            f"{folder}: there is no such folder of suites, so nothing would be checked; see LOYALTY_EXPECTATIONS."
        )
    if (misnamed := file.with_suffix(".yaml")).exists():
        raise UserError(f"{misnamed} must be called {file.name}; as it is, nothing would be checked.")
    if not file.exists():
        return Suite(feed=feed)
    try:
        suite = Suite.model_validate(strict_yaml.load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if not key:
            raise UserError(f"{file}: it must hold `key: value` lines, such as `feed: {feed}`.") from None
        raise UserError(f"{file}, key `{key}`: {first['msg']}{as_found(first['input'])}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{file} is not a suite of rules: {yaml_fault(error)}.") from None
    if suite.feed != feed:
        raise UserError(f"{file}, key `feed`: the file's name is `{feed}`{as_found(suite.feed)}.")
    names = [rule.name for rule in [*suite.rows, *suite.load]]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{file}: the rule name `{twice[0]}` is there twice; each rule needs its own.")
    return suite


def check_rows(suite: Suite, frame: pd.DataFrame) -> RowCheck:
    """Ask the row rules of one batch; rows are named by their `_row` in the frame."""
    if not suite.rows or frame.empty:
        return RowCheck([], {})
    batch = _batch(frame)
    outcomes = _validate(batch, suite.feed, suite.rows, {"result_format": "BASIC"})
    broken: dict[int, list[Rule]] = defaultdict(list)
    results = []
    for rule, outcome in zip(suite.rows, outcomes, strict=True):
        failed = int(outcome.get("unexpected_count") or 0)
        results.append(_result("row", rule, len(frame), failed, None))
        if failed and rule.severity == "critical":
            for row in _broken_rows(batch, suite.feed, rule):
                broken[row].append(rule)
    return RowCheck(results, dict(broken))


def check_each_row(suite: Suite, frame: pd.DataFrame) -> tuple[list[RuleResult], dict[str, list[int]]]:
    """The results of the row rules, and the rows that broke each of them, whatever its severity."""
    checked = check_rows(suite, frame)
    failed = {result.rule for result in checked.results if result.failed}
    batch = _batch(frame) if failed else None
    broken = {rule.name: _broken_rows(batch, suite.feed, rule) for rule in suite.rows if rule.name in failed}
    return checked.results, broken


def check_load(suite: Suite, profile: dict[str, Any], passed: set[tuple[Any, ...]] | None = None) -> list[RuleResult]:
    """Ask the load rules of a load's profile; not those that passed already with the same values."""
    known = passed if passed is not None else set()
    rules = [rule for rule in suite.load if _asked(rule, profile) not in known]
    frame = pd.DataFrame([{name: _plain(value) for name, value in profile.items()}])
    outcomes = _validate(_batch(frame), suite.feed, rules, {"result_format": "BASIC"}) if rules else []
    broken = {rule.name for rule, outcome in zip(rules, outcomes, strict=True) if outcome.get("unexpected_count")}
    known |= {_asked(rule, profile) for rule in rules if rule.name not in broken}
    return [_result("load", rule, 1, int(rule.name in broken), _observed(rule, profile)) for rule in suite.load]


def foresee_loads(suite: Suite, profiles: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """The load rules that all of these profiles pass, with the values that each has; of what the profiles hold."""
    rules = [rule for rule in suite.load if set(_columns(rule)) <= set(profiles[0])] if profiles else []
    if not rules:
        return set()
    frame = pd.DataFrame([{name: _plain(value) for name, value in profile.items()} for profile in profiles])
    outcomes = _validate(_batch(frame), suite.feed, rules, {"result_format": "BASIC"})
    good = [rule for rule, outcome in zip(rules, outcomes, strict=True) if outcome["unexpected_count"] == 0]
    return {_asked(rule, profile) for rule in good for profile in profiles}


def is_of_rows(suite: Suite) -> bool:
    """Whether every rule of a suite looks at one row at a time, so that rows may be checked in any company."""
    kinds = {rule.expectation.type for rule in (*suite.rows, *suite.load)}
    return all(kind in OF_ROWS for kind in kinds)


def _columns(rule: Rule) -> list[str]:
    return rule.expectation.column.split(", ")


def _asked(rule: Rule, profile: dict[str, Any]) -> tuple[Any, ...]:
    """A rule and the values that it looks at."""
    return rule.name, *(profile.get(name) for name in _columns(rule))


def add_up(results: list[RuleResult]) -> list[RuleResult]:
    """One result per rule from the results of all batches, in the order of the rules."""
    total: dict[tuple[str, str], RuleResult] = {}
    for result in results:
        key = (result.level, result.rule)
        so_far = total.get(key)
        total[key] = (
            replace(so_far, evaluated=so_far.evaluated + result.evaluated, failed=so_far.failed + result.failed)
            if so_far
            else result
        )
    return list(total.values())


def check_frame(
    table: pa.Table, feed: CanonicalFeed, suite: Suite, received_at: pd.Timestamp, currency: str | None = None
) -> pd.DataFrame:
    """The frame that row rules see: decimals as floats, stamps as naive UTC, `_received_at`, and `_row`, its position.

    It has only the canonical columns that a rule names, because Great Expectations hashes all that it gets. Amounts of
    a feed without currency codes are taken to be in `currency`.
    """
    named = set(re.findall(r"\w+", json.dumps([rule.expectation.kwargs for rule in suite.rows], default=str)))
    names = [name for name in table.column_names if name in feed.landed_columns and name in named]
    frame = pd.DataFrame({name: _for_check(table.column(name)) for name in names}, index=range(table.num_rows))
    for name in named:
        if name.endswith(SCALED) and (amount := name.removesuffix(SCALED)) in table.column_names:
            frame[name] = _for_check(table.column(amount)) / currency_units(table, currency)
    moment = received_at.tz_localize(None) if received_at.tzinfo else received_at
    return frame.assign(_received_at=moment, _row=range(table.num_rows))


def currency_units(table: pa.Table, currency: str | None) -> pd.Series:
    """For each row the power of ten that one US dollar is at most in its currency; 1 where it is not known."""
    codes = (
        table.column("currency_code").to_pandas()
        if "currency_code" in table.column_names
        else pd.Series([currency] * table.num_rows, dtype="object")
    )
    return codes.map(UNITS_OF_A_DOLLAR).fillna(1).astype("float64")  # of no rows it would be text


def _for_check(column: pa.ChunkedArray) -> pd.Series:
    kind = column.type
    if pa.types.is_decimal(kind) or pa.types.is_integer(kind):
        return column.cast(pa.float64()).to_pandas()
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("us")).to_pandas()
    if pa.types.is_boolean(kind):
        return column.cast(pa.float64() if column.null_count else kind).to_pandas()
    return column.to_pandas()


def _result(level: Level, rule: Rule, evaluated: int, failed: int, observed: str | None) -> RuleResult:
    return RuleResult(
        level, rule.name, rule.expectation.column, rule.severity, evaluated, failed, observed, rule.because
    )


def _batch(frame: pd.DataFrame) -> Any:
    return _whole_frame().get_batch(batch_parameters={"dataframe": frame})


@cache
def _whole_frame() -> Any:
    """Great Expectations, set up once in a process: an ephemeral context that reads whole frames."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    # It would log what we report, and how it sets itself up; one of its parts sets a level of its own.
    chatter = logging.getLogger("great_expectations")
    chatter.addHandler(logging.NullHandler())
    chatter.propagate = False
    with _hidden("pyspark.sql.connect"):
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return (
        context.data_sources.add_pandas("gate")
        .add_dataframe_asset("batch")
        .add_batch_definition_whole_dataframe("whole")
    )


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Great Expectations imports this part of Spark where it finds it, which ends a process that has no main file."""
    known = sys.modules.get(module)
    sys.modules[module] = None  # type: ignore[assignment]  # so that its import is an ImportError
    try:
        yield
    finally:
        del sys.modules[module]
        if known is not None:
            sys.modules[module] = known


def _validate(batch: Any, feed: str, rules: list[Rule], result_format: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of the rules in their order; UserError when one could not run."""
    import great_expectations as gx

    try:
        suite = gx.ExpectationSuite(
            name=feed,
            expectations=[
                {"type": rule.expectation.type, "kwargs": rule.expectation.kwargs, "meta": {"rule": rule.name}}
                for rule in rules
            ],
        )
    except Exception as error:  # Great Expectations and pydantic raise many kinds here
        names = ", ".join(rule.name for rule in rules)
        raise UserError(
            f"expectations/{feed}.yml: the arguments of a rule ({names}) are wrong: {_first_line(error)}."
        ) from None
    # The suite leaves out what it does not know, with no more than a line in its log.
    known = {(expectation.meta or {}).get("rule") for expectation in suite.expectations}
    for rule in rules:
        if rule.name not in known:
            raise UserError(
                f"expectations/{feed}.yml, rule `{rule.name}`: Great Expectations has no `{rule.expectation.type}` "
                "with these arguments."
            )
    outcome = batch.validate(suite, result_format=result_format)
    by_rule: dict[str, dict[str, Any]] = {}
    for result in outcome.results:
        name = result.expectation_config.meta["rule"]
        if _could_not_run(result.exception_info):
            raise UserError(
                f"expectations/{feed}.yml, rule `{name}`: it could not run "
                f"({_exception_message(result.exception_info)}); correct its column or its arguments."
            )
        by_rule[name] = {**result.result, "unexpected_count": _unexpected(result)}
    return [by_rule[rule.name] for rule in rules]


def _unexpected(result: Any) -> int:
    """The broken rows; an expectation about a whole column that fails counts as one."""
    counted = result.result.get("unexpected_count")
    return int(counted) if counted is not None else int(not result.success)


def _broken_rows(batch: Any, feed: str, rule: Rule) -> list[int]:
    result_format = {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": ["_row"],
        "include_unexpected_rows": False,
        "return_unexpected_index_query": False,
        "partial_unexpected_count": 0,
    }
    outcome = _validate(batch, feed, [rule], result_format)[0]
    if "unexpected_index_list" not in outcome:
        raise UserError(
            f"expectations/{feed}.yml, rule `{rule.name}`: `{rule.expectation.type}` does not give the rows that are "
            "broken; make it a warning, or move it to `load`."
        )
    return [int(entry["_row"]) for entry in outcome["unexpected_index_list"] or []]


def _could_not_run(info: dict[str, Any]) -> bool:
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(part.get("raised_exception") for part in info.values())


def _exception_message(info: dict[str, Any]) -> str:
    parts = [info] if "raised_exception" in info else list(info.values())
    messages = [part["exception_message"] for part in parts if part.get("raised_exception")]
    return _first_line(messages[0])


def _first_line(error: object) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def _plain(value: Any) -> Any:
    return float(value) if hasattr(value, "as_tuple") else value


def _observed(rule: Rule, profile: dict[str, Any]) -> str | None:
    name = rule.expectation.kwargs.get("column")
    value = profile.get(name) if name else None
    return None if value is None else str(value)
