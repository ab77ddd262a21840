"""Orders to come by the project's own path: CDNOW's sample and survival tables in, published figures out.

As of 1997-09-30 the models are fitted on the sample; as of 1998-06-30 the held-out half is there too.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from loyalty.build import estimates
from worlds.cdnow_orders import sample_orders
from worlds.warehouse import Warehouse, new_warehouse

ORACLES = Path(__file__).parents[1] / "oracles"
PUBLISHED = json.loads((ORACLES / "btyd.json").read_text(encoding="utf-8"))
# CDNOW's conventions; and no assumed cost of activities, so that the margin is known beforehand.
UNTRUNCATED = {"left_truncation": False, "assumed_cost_rates": False, "prediction_days": 273, "min_base": 1}
STATISTICS = ("+stat_retention__history_cells", "+stat_retention__value_cells", "+stat_retention__contract_cells")
SCORED = (
    *("fct_model_checks", "int_retention__order_model", "int_retention__order_forecasts"),
    *("int_retention__value_forecasts", "fct_customer_predictions", "int_retention__contract_periods"),
    *("dq__model_checks", "dq__model_parameters", "retention__contract_periods"),
)


def _predict(warehouse: Warehouse, as_of: date, variables: dict[str, object]) -> None:
    """What a build does: the core, the fits, what is scored from them."""
    warehouse.set_build(as_of)
    margins = (
        "+int_retention__customer_margins",
        "+int_retention__yearly_values",
        "int_retention__observed_contract_periods",
        "+dim_delivered",
    )
    without_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    warehouse.dbt("build", "--select", *STATISTICS, *margins, *without_tests, variables=variables)
    with warehouse.connect() as connection:
        estimates.run(connection, as_of)
    warehouse.dbt("build", "--select", *SCORED, "--exclude-resource-type", "unit_test", variables=variables)


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The sample as of the end of the published calibration period."""
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("cdnow"), environment)
        made.load("orders", sample_orders(), source="cdnow")
        _predict(made, date(1997, 9, 30), UNTRUNCATED)
        yield made


def test_k7_the_date_of_a_calibration_is_that_of_its_data(cdnow: Warehouse) -> None:
    end = cdnow.value("select window_end_date from core.dim_fit_windows where fit_window = 'calibration'")
    assert end < date(1997, 9, 30)
    for table in ("dq__model_parameters", "dq__model_checks"):
        dates = cdnow.query(
            f"select distinct scope like '%calibration', fit_date from quality.{table} "
            "where model like '%bgnbd' order by 1"
        )
        assert dates == [(False, date(1997, 9, 30)), (True, end)], table


def _fitted(warehouse: Warehouse, model: str, scope: str) -> tuple[dict[str, float], float]:
    rows = warehouse.query(
        "select parameter, parameter_value, log_likelihood from quality.dq__model_parameters"
        f" where model = '{model}' and scope = '{scope}'"
    )
    return {name: round(value, 4) for name, value, _ in rows}, rows[0][2]


def test_bgnbd_by_the_projects_own_path(cdnow: Warehouse) -> None:
    parameters, log_likelihood = _fitted(cdnow, "bgnbd", "all")
    assert parameters == {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}
    assert log_likelihood == -9582.4292


def test_mbgnbd_by_the_projects_own_path(cdnow: Warehouse) -> None:
    parameters, log_likelihood = _fitted(cdnow, "mbgnbd", "all")
    assert parameters == {
        "r": pytest.approx(0.5248, abs=2e-4),
        "alpha": pytest.approx(6.183, abs=2e-3),
        "a": pytest.approx(0.8914, abs=2e-4),
        "b": pytest.approx(1.614, abs=2e-3),
    }
    assert log_likelihood == -9582.1357


def test_gamma_gamma_by_the_projects_own_path(cdnow: Warehouse) -> None:
    parameters, _ = _fitted(cdnow, "gamma_gamma", "USD")
    assert parameters == {"p": 6.2496, "q": 3.7442, "v": 15.4435}
    published = PUBLISHED["gammagamma_cdnow"]["published"]
    assert all(round(value, 2) == published[name] for name, value in parameters.items())
    base = cdnow.value("select base_count from quality.dq__model_parameters where scope = 'USD' and parameter = 'p'")
    assert base == PUBLISHED["gammagamma_cdnow"]["n_repeat"] == 946


def test_bgnbd_predicts_all_customers_as_published(cdnow: Warehouse) -> None:
    """Per customer against the file, whose summary rounds weeks to two digits: the third digit may differ. To six
    digits the same customers are predicted in tests/unit/build/estimates/test_btyd.py, from the rounded weeks."""
    found = cdnow.frame(
        "select cast(customer_id as integer) as id, repeat_day_count, recency_days / 7.0 as t_x, age_days / 7.0 as age,"
        " expected.* exclude (repeat_day_count, recency_days, age_days)"
        " from core.fct_customer_predictions join core.dim_customers using (customer_key)"
        " join estimates.order_expectations as expected using (repeat_day_count, recency_days, age_days)"
        " where expected.model = 'bgnbd'"
    ).set_index("id")
    oracle = pd.read_csv(ORACLES / "bgnbd_cdnow_customers.csv").set_index("ID")
    found = found.loc[oracle.index]
    assert len(found) == 2357
    assert (found.repeat_day_count == oracle.x).all()
    published = PUBLISHED["bgnbd_cdnow"]["rfm_rebuilt_matches_summary"]
    assert (found.t_x - oracle.t_x).abs().max() == pytest.approx(published["t_x_maxdiff"], abs=1e-9)
    assert (found.age - oracle["T"]).abs().max() == pytest.approx(published["T_maxdiff"], abs=1e-9)
    assert (found.expected_order_count - oracle.cond_exp_39wk).abs().max() < 0.005
    assert round(found.expected_order_count.sum(), 2) == 1653.41
    assert found.loc[1, "expected_order_count"] == pytest.approx(1.2259, abs=1e-4)
    assert found.loc[1, "order_probability"] == pytest.approx(0.5546, abs=1e-4)
    assert (found.p_alive - oracle.p_alive).abs().max() < 1e-3
    assert found.p_alive.mean() == pytest.approx(PUBLISHED["bgnbd_cdnow"]["mean_p_alive"], abs=1e-4)


def test_model_verdict_every_figure_of_a_customer_is_from_the_model_that_is_named(cdnow: Warehouse) -> None:
    """On CDNOW it is MBG/NBD: P(alive) is far from 1 without a repeat, and never under the chance of an order."""
    found = cdnow.frame(
        "select repeat_day_count, order_model, order_model_verdict, p_alive::double as p_alive,"
        " order_probability::double as order_probability, expected_order_count from core.fct_customer_predictions"
    )
    assert found.groupby(["order_model", "order_model_verdict"]).size().to_dict() == {
        ("mbgnbd", "passed its check"): 2357
    }
    assert found[found.repeat_day_count == 0].p_alive.mean() == pytest.approx(0.4088, abs=1e-4)
    assert round(found.expected_order_count.sum(), 1) == 1576.7
    assert (found.order_probability <= found.p_alive).all()


def test_bands_follow_the_order_probability(cdnow: Warehouse) -> None:
    bands = cdnow.query(
        "select order_probability_band, min(order_probability), max(order_probability), count(*)"
        " from core.fct_customer_predictions group by order_probability_band order by order_probability_band"
    )
    assert [band for band, *_ in bands] == ["high", "low", "medium"]
    edges = {band: (float(low), float(high)) for band, low, high, _ in bands}
    assert edges["low"][1] < 0.3 <= edges["medium"][0] <= edges["medium"][1] <= 0.7 < edges["high"][0]
    assert sum(count for *_, count in bands) == 2357


def test_expected_value_of_an_order_as_published(cdnow: Warehouse) -> None:
    values = cdnow.query(
        "select cast(expected_order_amount as double) from core.fct_customer_predictions"
        " join core.dim_customers using (customer_key) where cast(customer_id as integer) <= 5"
        " order by cast(customer_id as integer)"
    )
    assert [value for (value,) in values] == pytest.approx(
        PUBLISHED["gammagamma_cdnow"]["cond_exp_value_first5"], abs=0.01
    )


def test_without_unit_costs_lifetime_value_is_unknown_and_says_why(cdnow: Warehouse) -> None:
    assert cdnow.query(
        "select clv_missing_reason, count(clv_amount), count(*) from core.fct_customer_predictions group by all"
    ) == [("too few unit costs are known for a margin", 0, 2357)]


def _macro(warehouse: Warehouse, select: str) -> list[tuple[object, ...]]:
    """The rows of a query written with the project's macros."""
    shown = warehouse.dbt("show", "--inline", select, "--limit", "100").result.results[0]
    return [tuple(row.values()) for row in shown.agate_table.rows]


def test_the_published_table_of_margin_multiples(cdnow: Warehouse) -> None:
    """Gupta & Lehmann's table of r / (1 + i - r), all sixteen figures."""
    table = json.loads((ORACLES / "clv_margin_multiple.json").read_text(encoding="utf-8"))["margin_multiple"]
    cells = [(r[2:], i[2:], wanted) for r, row in table.items() for i, wanted in row.items()]
    values = ", ".join(f"({r}, {i}, {wanted})" for r, i, wanted in cells)
    rows = _macro(
        cdnow,
        "select cast({{ margin_multiple('r', 'i') }} as double) as multiple, wanted"
        f" from (values {values}) as given (r, i, wanted)",
    )
    assert len(rows) == 16
    assert all(abs(float(multiple) - float(wanted)) < 0.00501 for multiple, wanted in rows)


def test_the_edges_of_the_bands(cdnow: Warehouse) -> None:
    edges = json.loads((ORACLES / "seed_arithmetic.json").read_text(encoding="utf-8"))["repurchase_band"]["edges"]
    # the band is decided on six digits, so that no seventh decides
    wanted = edges | {"0.7000001": "medium", "0.2999999": "medium", "0.700001": "high", "0.299999": "low"}
    values = ", ".join(f"('{edge}', {edge})" for edge in wanted)
    rows = _macro(
        cdnow,
        "select edge, {{ order_probability_band('chance') }} as band"
        f" from (values {values}) as given (edge, chance)",
    )
    assert {str(edge): band for edge, band in rows} == wanted


@pytest.fixture(scope="module")
def a_year_later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The whole sample in another order: the second half of the days is the hold-out, and goods cost 60 of 100."""
    orders = sample_orders().sample(frac=1, random_state=3)
    lines = pd.DataFrame(
        {
            "order_id": orders.order_id,
            "line_number": 1,
            "product_id": "cd",
            "quantity": 1,
            "net_amount": orders.total_amount,
            "cost_amount": (orders.total_amount * 0.6).round(4),
        }
    )
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("later"), environment)
        made.load("orders", orders, source="cdnow")
        made.load("order_lines", lines, source="cdnow")
        _predict(made, date(1998, 6, 30), UNTRUNCATED)
        yield made


def test_the_hold_out_is_the_published_one(a_year_later: Warehouse) -> None:
    parameters, log_likelihood = _fitted(a_year_later, "bgnbd", "calibration")
    assert parameters == {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}
    assert log_likelihood == -9582.4292
    observed, expected, verdict = a_year_later.query(
        "select observed_figure, expected_figure, verdict from quality.dq__model_checks"
        " where model = 'bgnbd' and check_name = 'hold-out order days'"
    )[0]
    assert (observed, round(expected, 2), verdict) == (1882, 1653.41, "passes")


def test_the_model_of_p_alive_predicts_the_same_hold_out(a_year_later: Warehouse) -> None:
    assert _fitted(a_year_later, "mbgnbd", "calibration")[1] == -9582.1357
    # package lifetimes 0.11.3, ModifiedBetaGeoFitter, on the same customers: tests/unit/build/estimates/test_btyd.py
    predicted = a_year_later.query(
        "select observed_figure, round(expected_figure, 1), verdict from quality.dq__model_checks"
        " where model = 'mbgnbd' and check_name = 'hold-out order days'"
    )
    assert predicted == [(1882, 1576.7, "passes")]
    deciles = a_year_later.query(
        "select count(*), sum(base_count) from quality.dq__model_checks"
        " where model = 'mbgnbd' and check_name = 'hold-out order probability by decile'"
    )
    assert deciles == [(10, 2357)]


def test_rows_in_another_order_and_days_yet_to_come_change_no_digit_of_a_fit(
    a_year_later: Warehouse, cdnow: Warehouse
) -> None:
    fit = "select parameter, value, standard_error from estimates.parameters where model = 'bgnbd' and scope = '{}'"
    order = " order by parameter"
    assert a_year_later.query(fit.format("calibration") + order) == cdnow.query(fit.format("all") + order)


def test_the_hold_out_by_earlier_repeats_is_the_published_one(a_year_later: Warehouse) -> None:
    rows = a_year_later.query(
        "select base_count, expected_figure, observed_figure from quality.dq__model_checks"
        " where model = 'bgnbd' and check_name = 'hold-out order days by repeats' order by part"
    )
    with (ORACLES / "bgnbd_cdnow_holdout_by_x.csv").open(encoding="utf-8") as file:
        oracle = list(csv.DictReader(file))
    assert [row[0] for row in rows] == [int(row["customers"]) for row in oracle]
    assert [row[1] for row in rows] == pytest.approx([float(row["cond_exp"]) for row in oracle], rel=1e-4)
    assert [row[2] for row in rows] == pytest.approx([float(row["actual"]) for row in oracle], rel=1e-7)


def test_one_repeat_is_predicted_too_few_orders_and_the_check_says_so(a_year_later: Warehouse) -> None:
    """BG/NBD's known weakness on CDNOW: who came back once orders a third more than predicted."""
    verdicts = dict(
        a_year_later.query(
            "select part, verdict from quality.dq__model_checks"
            " where model = 'bgnbd' and check_name = 'hold-out order days by repeats'"
        )
    )
    assert (verdicts["0"], verdicts["1"], verdicts["3"]) == ("passes", "fails", "passes")


def test_frequency_and_value_are_nearly_independent(a_year_later: Warehouse, cdnow: Warehouse) -> None:
    for warehouse in (a_year_later, cdnow):
        found, verdict = warehouse.query(
            "select observed_figure, verdict from quality.dq__model_checks where rule = 'correlation'"
        )[0]
        assert abs(found) < 0.3
        assert verdict == "passes"
    assert cdnow.value(
        "select observed_figure from quality.dq__model_checks where rule = 'correlation'"
    ) == pytest.approx(PUBLISHED["gammagamma_cdnow"]["corr_x_zbar_repeat"], abs=1e-4)


def test_lifetime_value_is_the_product_of_its_factors_on_margin(a_year_later: Warehouse) -> None:
    rows = a_year_later.frame(
        "select discounted_order_count, clv_order_count, expected_order_amount::double as amount,"
        " margin_rate::double as rate, clv_amount::double as clv from core.fct_customer_predictions"
    )
    assert len(rows) == rows.clv.count() == 2357
    assert (rows.rate - 0.4).abs().max() < 1e-3
    assert (rows.clv - rows.discounted_order_count * rows.amount * rows.rate).abs().max() < 1e-3
    assert (rows.discounted_order_count < rows.clv_order_count).all()


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The two published survival tables as contracts of a thousand customers each, renewed every year; and a shop of
    25 customers beside them."""
    orders = sample_orders()
    rows = [
        {
            "contract_id": f"{plan}-{number}",
            "customer_id": f"{plan}-{number}",
            "plan": plan,
            "started_at": pd.Timestamp("2000-06-15"),
            "ended_at": None if period is None else pd.Timestamp(2000 + period, 6, 15),
        }
        for plan, name in (("regular", "sbg_regular"), ("high end", "sbg_highend"))
        for number, period in enumerate(_ends(PUBLISHED[name]["survivors"]))
    ]
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("contracts"), environment)
        made.load("contracts", pd.DataFrame(rows), source="club")
        made.load("orders", orders[orders.customer_id.astype(int) <= 25], source="cdnow")
        yearly = {"contract_period_months": 12, "contract_future_periods": 5, "left_truncation": False}
        _predict(made, date(2007, 6, 15), yearly)
        yield made


def _ends(survivors: list[int]) -> Iterator[int | None]:
    """The period every contract ended in; none for those that still run."""
    for period in range(1, len(survivors)):
        yield from [period] * (survivors[period - 1] - survivors[period])
    yield from [None] * survivors[-1]


@pytest.mark.parametrize(
    ("plan", "name", "parameters", "log_likelihood"),
    [
        ("regular", "sbg_regular", (0.70408, 1.18204), -1680.265),
        ("high end", "sbg_highend", (0.66809, 3.80609), -1611.158),
    ],
)
def test_sbg_from_the_contracts_feed(
    contracts: Warehouse, plan: str, name: str, parameters: tuple[float, float], log_likelihood: float
) -> None:
    rows = contracts.query(
        "select parameter_value, log_likelihood from quality.dq__model_parameters"
        f" where model = 'sbg' and scope = 'club, {plan}' order by parameter"
    )
    assert [value for value, _ in rows] == pytest.approx(parameters, abs=5.1e-6)
    assert round(rows[0][1], 3) == log_likelihood
    periods = contracts.frame(
        f"select * from marts.retention__contract_periods where plan = '{plan}' order by period_number"
    )
    survivors = PUBLISHED[name]["survivors"]
    assert list(periods.expected_survival_rate) == pytest.approx(PUBLISHED[name]["survival_0_12"][1:], abs=1e-6)
    assert list(periods.expected_retention_rate) == pytest.approx(PUBLISHED[name]["retention_rates_1_12"], abs=1e-6)
    assert list(periods.survival_rate[:7]) == pytest.approx([count / 1000 for count in survivors[1:]], abs=1e-8)
    assert periods.survival_rate[7:].isna().all()


def test_sbg_predicts_the_periods_it_has_not_seen(contracts: Warehouse) -> None:
    rows = contracts.query(
        "select scope, count(*), count(*) filter (where verdict = 'passes') from quality.dq__model_checks"
        " where check_name = 'hold-out survival' and scope <> 'club, all plans' group by scope order by scope"
    )
    # three periods of the high end say little of the seventh
    assert rows == [("club, high end", 4, 3), ("club, regular", 4, 4)]


def test_a_shop_of_25_customers_is_shown_why_nothing_is_predicted(contracts: Warehouse) -> None:
    reasons = contracts.query(
        "select prediction_missing_reason, count(*), count(order_probability) + count(p_alive) + count(clv_amount)"
        " from core.fct_customer_predictions group by all"
    )
    assert len(reasons) == 1
    reason, customers, predictions = reasons[0]
    assert (customers, predictions) == (25, 0)
    assert reason.startswith("orders cannot be predicted: ")
    assert reason.endswith(" of the 50 customers who came back needed")
    verdicts = contracts.query(
        "select distinct verdict from quality.dq__model_checks where model in ('bgnbd', 'mbgnbd', 'gamma_gamma')"
    )
    assert verdicts == [("cannot tell",)]
