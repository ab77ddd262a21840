"""Raking against the published example of R's survey package, and its refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from loyalty.build.estimates.raking import BOUNDS, Cell, kish, merged_levels, rake, weigh_cells

ORACLES = Path(__file__).parents[3] / "oracles"


@pytest.fixture(scope="module")
def schools() -> list[dict[str, str]]:
    """California schools sampled by district: apiclus1 of R's survey package, with its design weights."""
    with (ORACLES / "raking_apiclus1.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_rakes_to_the_published_mean_and_total(schools: list[dict[str, str]]) -> None:
    design = np.array([float(row["pw"]) for row in schools])
    raked = rake(
        design,
        [[row["stype"] for row in schools], [row["sch.wide"] for row in schools]],
        [{"E": 4421, "H": 755, "M": 1018}, {"No": 1072, "Yes": 5122}],
    )
    reference = json.loads((ORACLES / "raking.json").read_text(encoding="utf-8"))
    published = reference["published"]
    api = np.array([float(row["api00"]) for row in schools])
    enrolled = np.array([float(row["enroll"]) for row in schools])
    assert raked.is_converged
    assert round(float((raked.weights * api).sum() / raked.weights.sum()), 2) == published["mean_api00"]
    assert round(float((raked.weights * enrolled).sum()), -1) == published["total_enroll"]
    weights = np.array([float(row["weight"]) for row in schools])
    assert raked.weights == pytest.approx(weights, rel=1e-4)
    assert (raked.weights.min(), raked.weights.max()) == pytest.approx((reference["wmin"], reference["wmax"]), rel=1e-4)
    effect = len(schools) / kish(raked.weights, np.ones(len(schools)))
    assert effect == pytest.approx(reference["kish_deff"], rel=1e-5)


def test_rows_that_represent_many_rake_like_the_rows_themselves() -> None:
    levels = [["a", "a", "b"], ["x", "y", "y"]]
    targets = [{"a": 60, "b": 40}, {"x": 30, "y": 70}]
    single = rake(np.ones(6), [["a", "a", "a", "b", "b", "b"], ["x", "x", "y", "y", "y", "y"]], targets)
    grouped = rake(np.ones(3), levels, targets, counts=np.array([2, 1, 3]))
    assert grouped.weights == pytest.approx(single.weights[[0, 2, 3]])


def test_bounds_hold_weights_back_and_the_gap_says_so() -> None:
    raked = rake(np.ones(10), [["a"] * 9 + ["b"]], [{"a": 1, "b": 9}], bounds=BOUNDS)
    assert raked.weights.max() / raked.weights.mean() <= BOUNDS[1] * (1 + 1e-5)
    assert raked.margin_gap > 0.1


def test_weights_of_a_wave_average_one_and_meet_the_base() -> None:
    cells = [
        Cell(("18-34", "new", "1"), 400, 10),
        Cell(("18-34", "old", "2"), 100, 20),
        Cell(("35+", "old", "2"), 200, 40),
        Cell(("35+", "new", "3"), 300, 30),
    ]
    result = weigh_cells("wave 1", cells)
    assert result.fit.is_fitted
    assert result.fit.base_count == 100
    counts = {cell.levels: cell.response_count for cell in cells}
    assert sum(result.weights[levels] * n for levels, n in counts.items()) == pytest.approx(100)
    young = sum(result.weights[levels] * n for levels, n in counts.items() if levels[0] == "18-34")
    assert young == pytest.approx(50, rel=1e-4)
    weights = np.array([result.weights[cell.levels] for cell in cells])
    assert result.fit.effective_count == pytest.approx(kish(weights, np.array(list(counts.values()))), rel=1e-6)


def test_levels_hardly_anybody_answered_from_are_merged() -> None:
    cells = [Cell(("a",), 10, 1), Cell(("b",), 10, 3), Cell(("c",), 10, 50), Cell(("d",), 10, 0)]
    assert merged_levels(cells, 0) == {
        "a": "a + b + c + d",
        "b": "a + b + c + d",
        "c": "a + b + c + d",
        "d": "a + b + c + d",
    }


def test_a_level_without_answers_joins_the_smallest() -> None:
    cells = [Cell(("a",), 10, 8), Cell(("b",), 10, 9), Cell(("c",), 10, 0)]
    assert merged_levels(cells, 0) == {"a": "a + c", "c": "a + c", "b": "b"}


@pytest.mark.parametrize("answers", [0, 1, 29])
def test_too_few_answers_are_not_fitted(answers: int) -> None:
    result = weigh_cells("wave 1", [Cell(("a", "b", "1"), 100, answers)])
    assert not result.fit.is_fitted
    assert result.fit.reason == f"{answers} of the 30 answers needed from the base"
    assert result.weights == {}


def test_one_cell_alone_gets_the_weight_one() -> None:
    assert weigh_cells("wave 1", [Cell(("a", "b", "1"), 100, 40)]).weights == {("a", "b", "1"): 1.0}
