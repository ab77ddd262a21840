"""The Wallet Allocation Rule and the imputed wallet, reached by the project's own path."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from loyalty.build import estimates
from worlds.survey_rows import DAY, SCENE, build, load_survey, question
from worlds.warehouse import Warehouse, new_warehouse

ORACLES = Path(__file__).parents[1] / "oracles"
BY_INCOME = {"wallet_peer_column": "x_income", "min_base": 1}
SCORED = ("int_wallet__measures", "fct_customer_wallets", "wallet__customer_periods")
RULE = json.loads((ORACLES / "survey.json").read_text(encoding="utf-8"))["war"]


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """One respondent for each number of brands; and ties, ratings instead of ranks, half a ranking, none of ours."""
    brands = {f"{n} brands": [(f"b{rank}", rank, None) for rank in range(1, n + 1)] for n in range(1, 6)}
    brands["tie"] = [("b1", 1, None), ("b2", 1, None), ("b3", 3, None)]
    brands["mean ranks"] = [("b1", 1.5, None), ("b2", 1.5, None), ("b3", 3, None)]
    brands["ratings"] = [("b1", None, 9), ("b2", None, 7), ("b3", None, 9)]
    brands["half"] = [("b1", 1, None), ("b2", None, None)]
    brands["others only"] = [("x1", 1, None), ("x2", 2, None)]
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("ratings"), environment)
        made.load("orders", [{**SCENE[0], "order_id": name, "customer_id": name} for name in brands])
        load_survey(
            made,
            [question("brands", "q", "overall_satisfaction", 1, 5)],
            [{"q": 5, "_response_id": name, "_customer_id": name} for name in brands],
        )
        made.load(
            "survey_brand_ratings",
            [
                {
                    "response_id": name,
                    "brand": brand,
                    "rank": rank,
                    "rating": rating,
                    "is_us": brand == "b1",
                    "is_used": True,
                }
                for name, rows in brands.items()
                for brand, rank, rating in rows
            ],
        )
        build(made, "wallet__customer_periods", "fct_brand_ratings")
        yield made


def _shares(warehouse: Warehouse, response: str) -> list[float]:
    rows = warehouse.query(
        "select wallet_share from core.fct_brand_ratings join core.fct_survey_responses using (response_key) "
        f"where response_id = '{response}' order by brand"
    )
    return [None if row[0] is None else float(row[0]) for row in rows]


@pytest.mark.parametrize("n", range(1, 6))
def test_wallet_allocation_rule(rated: Warehouse, n: int) -> None:
    assert _shares(rated, f"{n} brands") == pytest.approx(RULE[f"{n} brands"], abs=1e-6)


@pytest.mark.parametrize("how", ["tie", "mean ranks"])
def test_tied_brands_share_the_mean_of_their_ranks(rated: Warehouse, how: str) -> None:
    assert _shares(rated, how) == pytest.approx([0.416667, 0.416667, 0.166667], abs=1e-6)


def test_ratings_are_used_without_ranks(rated: Warehouse) -> None:
    assert _shares(rated, "ratings") == pytest.approx([0.416667, 0.166667, 0.416667], abs=1e-6)


def test_half_a_ranking_ranks_nothing(rated: Warehouse) -> None:
    assert _shares(rated, "half") == [None, None]


def test_shares_of_a_category_add_up_to_one(rated: Warehouse) -> None:
    sums = rated.query(
        "select sum(wallet_share) from core.fct_brand_ratings where wallet_share is not null group by response_key"
    )
    assert all(abs(float(total) - 1) < 1e-6 for (total,) in sums)


def test_the_mart_says_what_the_ranking_says_of_us(rated: Warehouse) -> None:
    found = {
        name: (count, None if share is None else float(share), alone)
        for name, count, share, alone in rated.query(
            "select customer_id, brands_used_count, sow_war, is_sole_buyer "
            "from marts.wallet__customer_periods join core.dim_customers using (customer_key) "
            "where period_grain = 'year' and category = 'all'"
        )
    }
    assert found["1 brands"] == (1, 1.0, True)
    assert found["4 brands"] == (4, pytest.approx(0.4), False)
    assert found["others only"] == (2, 0.0, False)
    assert found["half"] == (2, None, False)


@pytest.fixture(scope="module")
def households(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The 801 households of Complete Journey whose income is known, with what they spent in the year."""
    spends = pd.read_csv(ORACLES / "cj_wallet_p90_income.csv", dtype={"household_id": str})
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("households"), environment)
        made.load(
            "orders",
            pd.DataFrame(
                {
                    "order_id": spends.household_id,
                    "customer_id": spends.household_id,
                    "ordered_at": DAY,
                    "kind": "sale",
                    "status": "completed",
                    "currency_code": "USD",
                    "total_amount": spends.sales,
                }
            ),
        )
        # a household of unknown income has no peers
        made.load("customers", pd.DataFrame({"customer_id": spends.household_id, "x_income": spends.income}))
        # a customer of unknown income has no peers
        made.load("orders", SCENE)
        build(made, "wallet__customer_periods", "stat_wallet__spend_bins", variables=BY_INCOME)
        yield made


def _with_least_peers(warehouse: Warehouse, least: int, percentile: float = 0.9) -> pd.DataFrame:
    models = ("int_wallet__peer_cells", *SCORED)
    variables = {**BY_INCOME, "min_peer_cell": least, "peer_percentile": percentile}
    warehouse.dbt("run", "--select", *models, variables=variables)
    return warehouse.frame(
        "select customer_id, own_amount::double as own, imputed_wallet_amount::double as wallet, "
        "sow_imputed::double as share, peer_cell, is_small_peer_cell, is_at_ceiling, warning "
        "from marts.wallet__customer_periods join core.dim_customers using (customer_key) "
        "where period_grain = 'year' and category = 'all'"
    ).set_index("customer_id")


def test_every_imputed_wallet_of_the_best_peers_by_income(households: Warehouse) -> None:
    found = _with_least_peers(households, 1).dropna(subset="wallet")
    assert len(found) == 801
    assert found.share.mean() == pytest.approx(0.519388, abs=1e-6)
    assert found.own.sum() / found.wallet.sum() == pytest.approx(0.532330, abs=1e-6)
    assert (found.is_at_ceiling == (found.share == 1)).all()
    with (ORACLES / "cj_wallet_p90_income.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert found.wallet[row["household_id"]] == pytest.approx(float(row["wallet"]), abs=0.006)
            assert found.share[row["household_id"]] == pytest.approx(float(row["sow"]), abs=1e-6)


@pytest.mark.parametrize(("percentile", "share"), [(0.8, 0.619), (0.9, 0.519), (0.95, 0.455)])
def test_the_imputed_share_depends_on_the_percentile(households: Warehouse, percentile: float, share: float) -> None:
    found = _with_least_peers(households, 1, percentile).dropna(subset="wallet")
    assert round(found.share.mean(), 3) == share
    assert found.warning.str.startswith("spend of the best peers, not measured rival spend").all()


def test_small_cells_are_pooled_once(households: Warehouse) -> None:
    found = _with_least_peers(households, 30).dropna(subset="wallet")
    assert found.share.mean() == pytest.approx(0.515880, abs=1e-6)
    assert found.own.sum() / found.wallet.sum() == pytest.approx(0.526886, abs=1e-6)
    pooled = found[found.peer_cell == "(pooled)"]
    assert len(pooled) == 27
    assert pooled.is_small_peer_cell.all()


def test_without_peers_nothing_is_imputed(households: Warehouse) -> None:
    stranger = _with_least_peers(households, 30).loc["someone"]
    assert stranger.own == 10
    assert stranger[["wallet", "share", "peer_cell"]].isna().all()


def test_the_regression_scores_all_customers_with_known_peers(households: Warehouse) -> None:
    with households.connect() as connection:
        fits = estimates.run(connection, date(2017, 12, 31))
    households.dbt("run", "--select", *SCORED, variables=BY_INCOME)
    wallet_fits = [fit for fit in fits if fit.model == "wallet_coefficients"]
    assert {fit.base_count for fit in wallet_fits} == {801}
    assert all(fit.is_fitted for fit in wallet_fits)
    below, scored = households.query(
        "select avg(case when sow_fitted < 1 then 1 else 0 end) filter (where sow_fitted is not null), "
        "count(sow_fitted) from marts.wallet__customer_periods where period_grain = 'year'"
    )[0]
    assert scored == 801
    # a 90th percentile leaves nine of ten below it
    assert below == pytest.approx(0.9, abs=0.02)
