"""Constructs and paths of the European index as published, components, and refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from loyalty.build.estimates import structure
from worlds.exact_sums import in_groups

ORACLES = Path(__file__).parents[3] / "oracles"
PLS = json.loads((ORACLES / "ecsi_mobi_own_pls.json").read_text(encoding="utf-8"))["centroid"]
SURVEY = json.loads((ORACLES / "survey.json").read_text(encoding="utf-8"))
CORRELATION = pd.read_csv(ORACLES / "mobi_correlation.csv", index_col=0)
STATISTICS = pd.read_csv(ORACLES / "mobi_item_stats.csv", index_col=0)
PREFIXES = {
    "image": "IMAG",
    "expectation": "CUEX",
    "quality": "PERQ",
    "value": "PERV",
    "satisfaction": "CUSA",
    "complaints": "CUSCO",
    "loyalty": "CUSL",
}
BLOCKS = {name: [item for item in CORRELATION.columns if item.startswith(prefix)] for name, prefix in PREFIXES.items()}


@pytest.fixture(scope="module")
def mobi() -> structure.PathModel:
    """The European index of mobile phone users, from the published item correlations."""
    return structure.path_model(list(CORRELATION.columns), CORRELATION.to_numpy(), BLOCKS)


def test_paths_of_the_european_index(mobi: structure.PathModel) -> None:
    assert mobi.is_converged
    assert {**mobi.paths} == pytest.approx({(a.lower(), b.lower()): v for a, b, v in PLS["paths"]}, abs=1e-6)
    assert {**mobi.r_squared} == pytest.approx({name.lower(): v for name, v in PLS["R2"].items()}, abs=1e-6)
    # nothing leads to image, which the published table shows as 0
    explained = {name.capitalize(): round(value, 4) for name, value in mobi.r_squared.items()}
    assert explained | {"Image": 0} == SURVEY["ecsi_mobi"]["R2"]
    published = {(a.lower(), b.lower()): v for a, b, v in SURVEY["ecsi_mobi"]["paths"]}
    assert {path: round(value, 4) for path, value in mobi.paths.items()} == published


def test_weights_and_loadings_of_the_european_index(mobi: structure.PathModel) -> None:
    assert {**mobi.loadings} == pytest.approx(PLS["loadings"], abs=1e-6)
    assert {**mobi.weights} == pytest.approx(PLS["weights"], abs=1e-6)


@pytest.mark.parametrize("construct", sorted(PREFIXES))
def test_indices_of_the_european_index(mobi: structure.PathModel, construct: str) -> None:
    weights = {item: mobi.weights[item] for item in BLOCKS[construct]}
    scales = dict.fromkeys(weights, (1.0, 10.0))
    found = structure.construct_index(weights, STATISTICS["mean"], STATISTICS["std"], scales)
    assert found == pytest.approx(PLS["index_0_100"][construct.capitalize()], abs=5e-5)
    published = SURVEY["ecsi_mobi"]["index_0_100"][construct.capitalize()]
    assert found == pytest.approx(published["index"], abs=1e-6)
    assert structure.index_weights(weights, STATISTICS["std"]) == pytest.approx(published["weights"], abs=1e-6)


@pytest.mark.parametrize("construct", sorted(PREFIXES))
def test_indices_of_equal_weights_on_mobi(construct: str) -> None:
    """A weight of an item in its own units is weight / deviation, so deviations as weights weigh all alike."""
    deviations = dict(STATISTICS["std"][BLOCKS[construct]])
    scales = dict.fromkeys(deviations, (1.0, 10.0))
    found = structure.construct_index(deviations, STATISTICS["mean"], STATISTICS["std"], scales)
    published = SURVEY["ecsi_mobi"]["index_0_100"][construct.capitalize()]
    assert found == pytest.approx(published["unweighted"], abs=1e-9)


@pytest.mark.parametrize("construct", [name for name in PREFIXES if name != "complaints"])
def test_reliability_on_mobi(construct: str) -> None:
    deviations = STATISTICS["std"][BLOCKS[construct]].to_numpy()
    covariance = CORRELATION.loc[BLOCKS[construct], BLOCKS[construct]].to_numpy() * np.outer(deviations, deviations)
    alpha = structure.cronbach_alpha(covariance)
    assert alpha == pytest.approx(SURVEY["cronbach_mobi"][construct.capitalize()], abs=1e-8)


def test_components_add_up_and_rotation_keeps_what_is_explained() -> None:
    found = structure.components(CORRELATION.to_numpy(), 250)
    assert found.eigenvalues.sum() == pytest.approx(24)
    assert found.kept == int((found.eigenvalues > 1).sum()) == 5
    assert (found.loadings**2).sum() == pytest.approx(found.eigenvalues[:5].sum())
    assert 0.9 < found.kmo < 1
    assert found.degrees == 276
    assert found.p_value < 1e-100


def test_two_bundles_of_items_are_two_components() -> None:
    apart = np.kron(np.eye(2), np.full((3, 3), 0.6)) + 0.4 * np.eye(6)
    turn = structure.components(apart, 500)
    assert turn.kept == 2
    assert np.sort(np.abs(turn.loadings), axis=1)[:, 0] == pytest.approx(np.zeros(6), abs=1e-6)
    # each pair inside a bundle has a partial correlation of 3/8: 6 * .36 / (6 * .36 + 6 * .140625)
    assert turn.kmo == pytest.approx(0.36 / (0.36 + 0.140625))


def test_structure_of_answers_is_fitted_or_refused() -> None:
    random = np.random.default_rng(3)
    truth = random.normal(size=400)
    frame = pd.DataFrame(
        {
            name: np.clip(np.round(6 + 1.4 * (0.8 * truth + 0.6 * random.normal(size=400))), 1, 10).astype(int)
            for name in ("q1", "q2", "s1", "l1", "l2")
        }
    )
    constructs = {"q1": "quality", "q2": "quality", "s1": "satisfaction", "l1": "loyalty", "l2": "loyalty"}
    items = [structure.Item(name, construct, 1, 10) for name, construct in constructs.items()]
    paths, reliability, parts = structure.fit_structure("s", items, in_groups(frame))
    assert [one.fit.status for one in (paths, reliability, parts)] == ["fitted"] * 3
    effect = paths.figures["path", "quality", "satisfaction"]
    assert effect.low is not None and effect.high is not None
    assert effect.low < 0.7 < effect.high
    index = paths.figures["index", "satisfaction", "satisfaction"].value
    assert index == pytest.approx(100 * (frame["s1"].mean() - 1) / 9)
    checks = {check.part: check for check in paths.fit.checks}
    assert set(checks) == {"satisfaction", "loyalty"}
    for construct, check in checks.items():
        assert check.expected == paths.figures["r_squared", construct, construct].value
        assert check.observed == pytest.approx(check.expected, rel=0.1)
        assert check.observed < check.expected
    adequacy = parts.fit.checks[0]
    assert adequacy.observed == parts.figures["kmo", "all items", "all items"].value > 0.5
    assert reliability.figures["alpha", "loyalty", "loyalty"].value == pytest.approx(0.78, abs=0.06)
    refused = structure.fit_structure("s", items, in_groups(frame.head(99)))
    assert {one.fit.reason for one in refused} == {"99 of the 100 complete answers needed"}
    same = structure.fit_structure("s", items, in_groups(frame.assign(q2=frame["q1"])))
    assert {one.fit.reason for one in same} == {"the items are collinear (singular)"}


def test_k6_constructs_and_arrows_of_ones_own_are_fitted() -> None:
    """One arrow: its coefficient is the correlation, and R2 its square. The usual arrows join none of these."""
    random = np.random.default_rng(5)
    truth = random.normal(size=400)
    frame = pd.DataFrame(
        {
            name: np.clip(np.round(6 + 1.4 * (0.8 * truth + 0.6 * random.normal(size=400))), 1, 10).astype(int)
            for name in ("fun", "habit")
        }
    )
    items = [structure.Item("fun", "fun", 1, 10), structure.Item("habit", "habit", 1, 10)]
    paths, *_ = structure.fit_structure("s", items, in_groups(frame), structure.Design([("fun", "habit")]))
    assert [key for key in paths.figures if key[0] == "path"] == [("path", "fun", "habit")]
    correlation = frame["fun"].corr(frame["habit"])
    assert paths.figures["path", "fun", "habit"].value == pytest.approx(correlation)
    assert paths.figures["r_squared", "habit", "habit"].value == pytest.approx(correlation**2)
    # on equal scales, points of an index for a point of the other are the slope of the answers
    slope = np.polyfit(frame["fun"], frame["habit"], 1)[0]
    assert paths.figures["path in points", "fun", "habit"].value == pytest.approx(slope)
    usual, *_ = structure.fit_structure("s", items, in_groups(frame))
    assert usual.fit.reason == "no two constructs that a path joins were asked"


@pytest.mark.parametrize(
    ("arrows", "reason"),
    [
        (
            [("fun", "habit"), ("habit", "custom")],
            "no question that enough people answered has the construct `custom`, which survey_paths names",
        ),
        ([("fun", "habit"), ("habit", "fun")], "the arrows of survey_paths go in a circle: habit > fun > habit"),
    ],
)
@pytest.mark.parametrize("count", [9, 400])
def test_k6_arrows_of_ones_own_that_cannot_be_fitted_say_why(
    arrows: list[structure.Path], reason: str, count: int
) -> None:
    frame = pd.DataFrame(np.random.default_rng(5).integers(1, 8, (count, 2)), columns=["fun", "habit"])
    items = [structure.Item(name, name, 1, 7) for name in frame.columns]
    design = structure.Design(arrows, is_own=True)
    assert structure.fit_structure("s", items, in_groups(frame), design)[0].fit.reason == reason


def test_k6_items_in_their_own_units_weigh_by_their_covariance() -> None:
    """x1 and x2 (r .5) explain y (r .6 and .3). Standardised, weights are as .6 to .3, of variance .63; x2 in its own
    unit, with a deviation of 2: covariances .6 and .6, of standardised items .6 and 1.2, of variance 2.52."""
    correlation = np.array([[1, 0.5, 0.6], [0.5, 1, 0.3], [0.6, 0.3, 1]])
    blocks, paths = {"x": ["x1", "x2"], "y": ["y"]}, [("x", "y")]
    standardised = structure.path_model(["x1", "x2", "y"], correlation, blocks, paths)
    assert standardised.weights == pytest.approx({"x1": 0.755929, "x2": 0.377964, "y": 1}, abs=1e-6)
    assert standardised.paths["x", "y"] == pytest.approx(0.566947, abs=1e-6)
    as_asked = structure.path_model(["x1", "x2", "y"], correlation, blocks, paths, np.array([1.0, 2.0, 1.0]))
    assert as_asked.weights == pytest.approx({"x1": 0.377964, "x2": 0.755929, "y": 1}, abs=1e-6)
    assert as_asked.paths["x", "y"] == pytest.approx(0.453557, abs=1e-6)


def test_k6_the_seed_of_arrows_is_the_usual_model() -> None:
    seed = Path(__file__).parents[4] / "dbt_project" / "seeds" / "reference" / "survey_paths.csv"
    with seed.open(encoding="utf-8", newline="") as file:
        assert [(row["cause"], row["effect"]) for row in csv.DictReader(file)] == list(structure.PATHS)
