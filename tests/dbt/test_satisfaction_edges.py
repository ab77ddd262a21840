"""Hardly any data, dirty data, and weights: marts build, say NULL, and never err."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from worlds.survey_rows import DAY, SCENE, answered, build, build_fitted, load_survey, question
from worlds.warehouse import Warehouse, new_warehouse

MARTS = (
    "satisfaction__responses",
    "satisfaction__segment_months",
    "satisfaction__drivers",
    "satisfaction__measurement_model",
    "satisfaction__loyalty_curve",
    "satisfaction__loyalty_contrasts",
    "satisfaction__value_customers",
    "satisfaction__value_perception",
    "wallet__customer_periods",
    "fct_tickets",
)
OVERALL = question("s", "overall", "overall_satisfaction", 1, 5, missing_codes="-99; 98")


def _empty(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> Warehouse:
    made = new_warehouse(tmp_path_factory.mktemp("edges"), environment)
    made.load("orders", SCENE)
    return made


def test_hardly_any_data(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No survey and one customer at first; then a survey of one answer, and one whose answers are all alike."""
    made = _empty(tmp_path_factory, monkeypatch)
    build(made, *MARTS)
    assert made.value("select count(*) from marts.satisfaction__segment_months") == 0
    assert made.value("select count(*) from marts.satisfaction__responses") == 0
    wallets = made.query("select wallet_method, share_of_wallet, fit_status from marts.wallet__customer_periods")
    assert wallets == [(None, None, "not fitted")] * 2

    load_survey(made, [OVERALL], [{"overall": 5, "_customer_id": "someone"}])
    alike = [
        {"overall": 4, "_customer_id": f"c{i}", "_wave": f"w{wave}", "_submitted_at": DAY + timedelta(days=30 * wave)}
        for wave in (1, 2)
        for i in range(40)
    ]
    load_survey(made, [{**OVERALL, "survey_id": "alike"}], alike)
    fits = build_fitted(made, *MARTS)
    reasons = [fit.reason for fit in fits if fit.model == "survey_weights"]
    assert sorted(str(reason) for reason in reasons) == [
        f"{answers} of the 30 answers needed from the base" for answers in (0, 0, 1)
    ]
    figures = (
        "select response_count, is_suppressed, satisfaction_index, satisfaction_index_low, top_box_rate, nps, "
        "is_complacent, index_change, index_change_p_value from marts.satisfaction__segment_months "
        "where segment_by = 'all' and survey_id = '{}' order by wave desc limit 1"
    )
    assert made.query(figures.format("s")) == [(1, True, None, None, None, None, None, None, None)]
    # nothing varies: no standard error, so no test
    assert made.query(figures.format("alike")) == [(40, False, 75.0, 75.0, 0.0, None, True, 0.0, None)]
    single = made.query(
        "select satisfaction_index, weight, weighting_status from marts.satisfaction__responses where survey_id = 's'"
    )
    assert single == [(100.0, None, "not fitted")]


def _dirt() -> list[dict[str, Any]]:
    """Sheets that each carry one kind of dirt, named by the response."""
    battery = {f"d{i}": 8 for i in range(1, 6)}
    return [
        {"_response_id": "missing", "overall": -99},
        {"_response_id": "missing from a spreadsheet", "overall": "-99.0"},
        {"_response_id": "second code", "overall": 98},
        {"_response_id": "off scale", "overall": 7},
        {"_response_id": "chinese", "overall": "比较满意", "_language": "zh"},
        {"_response_id": "english", "overall": " Very Satisfied ", "_language": "en"},
        {"_response_id": "mixed up", "overall": "Satisfied", "_language": "zh"},
        {"_response_id": "unheard of", "overall": "so-so"},
        {"_response_id": "reversed", "slow": 2},
        {"_response_id": "telephone number", "open": 13912345678901},
        {"_response_id": "straight", **battery},
        {"_response_id": "varied", **{**battery, "d5": 7}},
        {"_response_id": "short battery", "d1": 8, "d2": 8, "d3": 8, "d4": 8},
        {"_response_id": "preview", "overall": 5, "_status": "preview"},
        {"_response_id": "first", "overall": 2, "_customer_id": "twice"},
        {"_response_id": "again", "overall": 5, "_customer_id": "twice"},
        {"_response_id": "next wave", "overall": 5, "_customer_id": "twice", "_wave": "w2"},
        {"_response_id": "merged", "overall": 5, "_customer_id": "alias"},
        {"_response_id": "web 1", "overall": 4, "_mode": "web", "_device_hash": "d"},
        {"_response_id": "web 2", "overall": 4, "_mode": "web", "_device_hash": "d"},
        {"_response_id": "kiosk 1", "overall": 4, "_mode": "on_site", "_device_hash": "k"},
        {"_response_id": "kiosk 2", "overall": 4, "_mode": "on_site", "_device_hash": "k"},
        {"_response_id": "hasty", "overall": 4, "_started_at": DAY, "_submitted_at": DAY + timedelta(seconds=49)},
        {"_response_id": "usual", "overall": 4, "_started_at": DAY, "_submitted_at": DAY + timedelta(seconds=100)},
        {"_response_id": "half", "overall": 4, "_started_at": DAY, "_submitted_at": DAY + timedelta(seconds=151)},
        {"_response_id": "before sent", "overall": 4, "_sent_at": DAY + timedelta(days=1)},
        {"_response_id": "comment", "why": "call Anna on 555 1234"},
        {"_response_id": "no expectation", "a": 0, "b": 5},
        {"_response_id": "delighted", "a": 4, "b": 5},
        {"_response_id": "edge", "again": 70, "nps": 9},
        {"_response_id": "over the edge", "again": 71, "nps": 8},
        {"_response_id": "low edge", "again": 30, "nps": 6},
        {"_response_id": "low", "again": 29, "nps": 0},
    ]


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pd.DataFrame]:
    """The mart of responses on dirty answers, by response id."""
    with pytest.MonkeyPatch.context() as environment:
        made = _empty(tmp_path_factory, environment)
        questions = [
            OVERALL,
            *(question("s", f"d{i}", "dimension:quality", 1, 10) for i in range(1, 6)),
            question("s", "slow", "dimension:delivery", 1, 10, direction="negative"),
            question("s", "open", "effort", None, None),
            question("s", "why", "comment", None, None),
            question("s", "a", "expectation", 0, 10),
            question("s", "b", "perceived", 0, 10),
            question("s", "again", "repurchase_intent", 0, 100),
            question("s", "nps", "recommend", 0, 10),
        ]
        load_survey(made, questions, _dirt())
        made.load(
            "survey_answer_labels",
            [
                {"survey_id": "s", "question_code": "overall", "language": language, "label": label, "score": score}
                for language, label, score in (
                    ("zh", "很满意", 5),
                    ("zh", "比较满意", 4),
                    ("zh", "满意", 3),
                    ("en", "Very satisfied", 5),
                    ("en", "Satisfied", 4),
                )
            ],
        )
        made.load(
            "customer_links", [{"customer_id": "alias", "into_customer_id": "twice", "linked_at": datetime(2017, 1, 1)}]
        )
        # a corrected questionnaire is a new version of the old one
        responses, answers = answered("s", [{"_response_id": "off scale", "overall": 9}])
        made.load("survey_responses", responses, version_at=datetime(2017, 8, 1))
        made.load("survey_answers", answers, version_at=datetime(2017, 8, 1))
        build(made, "satisfaction__responses")
        assert (
            made.value("select count(*) from core.fct_survey_answers where question_code = 'why' and not is_unreadable")
            == 1
        )
        frame = made.frame("select * from marts.satisfaction__responses")
        yield frame.set_index("response_id")


@pytest.mark.parametrize(
    ("response", "score"),
    [
        ("missing", None),
        ("missing from a spreadsheet", None),
        ("second code", None),
        ("off scale", None),
        ("unheard of", None),
        ("chinese", 4),
        ("english", 5),
        ("mixed up", 4),
    ],
)
def test_what_an_answer_is_worth(dirty: pd.DataFrame, response: str, score: float | None) -> None:
    found = dirty.overall_score[response]
    assert pd.isna(found) if score is None else found == score


@pytest.mark.parametrize(
    ("flag", "flagged"),
    [
        ("has_off_scale", {"off scale", "telephone number"}),
        ("has_unreadable", {"unheard of"}),
        ("is_straight_liner", {"straight"}),
        ("is_speeder", {"hasty"}),
        ("is_answered_before_sent", {"before sent"}),
        ("is_duplicate", {"again", "merged", "web 2"}),
    ],
)
def test_who_is_flagged(dirty: pd.DataFrame, flag: str, flagged: set[str]) -> None:
    assert set(dirty.index[dirty[flag]]) == flagged


def test_previews_are_dropped_and_corrections_count_once(dirty: pd.DataFrame) -> None:
    assert "preview" not in dirty.index
    assert dirty.index.is_unique
    assert len(dirty) == len(_dirt()) - 1


def test_a_reversed_item_is_turned_round(dirty: pd.DataFrame) -> None:
    assert dirty.delivery_score["reversed"] == 9


def test_the_surveys_own_words_decide_who_is_satisfied(dirty: pd.DataFrame) -> None:
    assert dirty.satisfaction_class["first"] == "dissatisfied"
    assert dirty.satisfaction_class["chinese"] == "satisfied"


@pytest.mark.parametrize(
    ("response", "column", "value"),
    [
        ("delighted", "c_ratio", 1.25),
        ("delighted", "c_state", "delighted"),
        ("delighted", "d_gap", 1),
        ("no expectation", "d_gap", 5),
        ("edge", "repurchase_band", "medium"),
        ("over the edge", "repurchase_band", "high"),
        ("low edge", "repurchase_band", "medium"),
        ("low", "repurchase_band", "low"),
        ("edge", "nps_class", "promoter"),
        ("over the edge", "nps_class", "passive"),
        ("low edge", "nps_class", "detractor"),
    ],
)
def test_classes_and_edges(dirty: pd.DataFrame, response: str, column: str, value: object) -> None:
    assert dirty[column][response] == value


def test_nothing_expected_has_no_ratio(dirty: pd.DataFrame) -> None:
    assert dirty.loc["no expectation", ["c_ratio", "c_state"]].isna().all()


def test_weights_bring_the_answers_to_the_base(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old customers answer twice as often as young ones; weighted, both count as in the base."""
    made = new_warehouse(tmp_path_factory.mktemp("weights"), monkeypatch)
    young, old = [f"y{i}" for i in range(100)], [f"o{i}" for i in range(100)]
    made.load(
        "orders",
        [{**SCENE[0], "order_id": c, "customer_id": c, "ordered_at": DAY - timedelta(days=9)} for c in young + old],
    )
    made.load("customers", [{"customer_id": c, "age_band": "55+" if c in old else "25-34"} for c in young + old])
    sheets = [{"overall": 5, "_customer_id": c} for c in young[:20]]
    sheets += [{"overall": 1, "_customer_id": c} for c in old[:40]]
    sheets += [{"overall": 1, "_customer_id": "stranger"}]
    load_survey(made, [OVERALL], sheets)
    fits = build_fitted(made, "satisfaction__segment_months", "satisfaction__responses")
    fit = next(fit for fit in fits if fit.model == "survey_weights")
    assert (fit.status, fit.base_count) == ("fitted", 60)
    weights = dict(
        made.query(
            "select overall_score, min(weight) from marts.satisfaction__responses "
            "where customer_key in (select customer_key from core.dim_customers) group by overall_score"
        )
    )
    assert {score: float(weight) for score, weight in weights.items()} == pytest.approx({5.0: 1.5, 1.0: 0.75})
    raw, weighted, effective = made.query(
        "select top_box_rate, top_box_rate_weighted, effective_count from marts.satisfaction__segment_months "
        "where segment_by = 'all'"
    )[0]
    assert raw == pytest.approx(20 / 61)
    assert weighted == pytest.approx(30 / 61)
    assert effective == pytest.approx(61**2 / (20 * 1.5**2 + 40 * 0.75**2 + 1))
