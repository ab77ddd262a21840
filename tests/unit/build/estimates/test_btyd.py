"""BG/NBD, MBG/NBD and Gamma-Gamma on CDNOW's published summaries (package lifetimes 0.11.3), given to the estimator."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import lifetimes
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter
from lifetimes.utils import _customer_lifetime_value
from scipy.integrate import quad
from scipy.stats import beta

from loyalty.build.estimates import btyd
from loyalty.build.estimates.btyd import Histories, Values
from loyalty.build.estimates.fits import Fit
from loyalty.build.estimates.holdout import HeldOut, predictions, so_far

ORACLES = Path(__file__).parents[3] / "oracles"
DATASETS = Path(lifetimes.__file__).parent / "datasets"
PUBLISHED = json.loads((ORACLES / "btyd.json").read_text(encoding="utf-8"))
CUSTOMERS = pd.read_csv(ORACLES / "bgnbd_cdnow_customers.csv")

ONE = Histories(np.array([2.0]), np.array([30.43]), np.array([38.86]), np.array([1.0]))


@pytest.fixture(scope="module")
def histories() -> Histories:
    """The 2,357 customers of the published summary, one cell each, in its order."""
    summary = pd.read_csv(DATASETS / "cdnow_customers_summary.csv")
    return _histories(summary.frequency, summary.recency, summary["T"])


@pytest.fixture(scope="module")
def values() -> Values:
    """The 946 repeaters of the published summary with their mean value."""
    summary = pd.read_csv(DATASETS / "cdnow_customers_summary_with_transactions.csv")
    repeaters = summary[summary.x > 0]
    x = repeaters.x.to_numpy(float)
    return Values(x, x * repeaters.zbar.to_numpy(float), np.ones(len(x)))


@pytest.fixture(scope="module")
def bgnbd(histories: Histories) -> Fit:
    return btyd.fit_ordering(btyd.BGNBD, "all", histories)


@pytest.fixture(scope="module")
def mbgnbd(histories: Histories) -> Fit:
    return btyd.fit_ordering(btyd.MBGNBD, "all", histories)


def _histories(x: object, t_x: object, age: object) -> Histories:
    repeats, recency, ages = (np.asarray(one, dtype=float) for one in (x, t_x, age))
    return Histories(repeats, recency, ages, np.ones(len(repeats)))


def _permuted(cells: Histories, order: np.ndarray) -> Histories:
    return Histories(cells.repeats[order], cells.recency[order], cells.age[order], cells.counts[order])


def test_bgnbd_is_the_published_fit(bgnbd: Fit) -> None:
    oracle = PUBLISHED["bgnbd_cdnow"]
    assert bgnbd.base_count == 2357
    assert bgnbd.is_converged
    assert {name: round(value, 4) for name, value in bgnbd.parameters.items()} == {
        "r": 0.2426,
        "alpha": 4.4135,
        "a": 0.7929,
        "b": 2.4258,
    }
    assert [bgnbd.parameters[name] for name in btyd.ORDERING] == pytest.approx(
        [oracle[name] for name in btyd.ORDERING], rel=1e-6
    )
    assert bgnbd.log_likelihood == -9582.4256
    assert bgnbd.log_likelihood == pytest.approx(oracle["loglik"], abs=5e-5)
    assert round(bgnbd.log_likelihood, 1) == oracle["published"]["loglik"]
    assert bgnbd.base_count == oracle["n"]
    for name in btyd.ORDERING:
        assert round(bgnbd.parameters[name], 3) == oracle["published"][name]
        assert bgnbd.parameters[name] == pytest.approx(PUBLISHED["lifetimes_0.11.3"]["bgnbd"][name], rel=1e-6)


def test_mbgnbd_is_the_reference_fit(mbgnbd: Fit, histories: Histories) -> None:
    assert {name: round(value, 4) for name, value in mbgnbd.parameters.items()} == {
        "r": 0.5248,
        "alpha": 6.1830,
        "a": 0.8914,
        "b": 1.6140,
    }
    assert mbgnbd.log_likelihood == -9582.1327
    alive = btyd.p_alive(btyd.MBGNBD, mbgnbd.parameters, histories)
    assert round(alive[histories.repeats == 0].mean(), 4) == 0.4088


def test_every_customer_is_predicted_as_published(bgnbd: Fit, histories: Histories) -> None:
    expected = btyd.expected_orders(bgnbd.parameters, histories, 39)
    alive = btyd.p_alive(btyd.BGNBD, bgnbd.parameters, histories)
    assert expected == pytest.approx(CUSTOMERS.cond_exp_39wk, abs=1e-6)
    assert alive == pytest.approx(CUSTOMERS.p_alive, abs=1e-6)
    assert round(expected.sum(), 2) == 1653.42
    assert alive.mean() == pytest.approx(PUBLISHED["bgnbd_cdnow"]["mean_p_alive"], abs=1e-7)
    assert alive.mean() == pytest.approx(PUBLISHED["lifetimes_0.11.3"]["p_alive_mean"], abs=1e-7)
    # who never came back is alive for certain, says BG/NBD: why the P(alive) shown is another model's
    assert round((alive == 1).mean(), 2) == 0.6


def test_the_published_customer(bgnbd: Fit) -> None:
    published = PUBLISHED["bgnbd_cdnow"]
    found = float(btyd.expected_orders(bgnbd.parameters, ONE, 39)[0])
    assert found == pytest.approx(published["cond_exp_39wk_x2_tx30.43_T38.86"], abs=1e-6)
    assert (round(found, 4), round(found, 3)) == (1.2259, published["published_cond_exp"])
    assert round(float(btyd.order_probability(bgnbd.parameters, ONE, 39)[0]), 4) == 0.5546
    newcomer = _histories([0], [0], [0])
    assert btyd.expected_orders(bgnbd.parameters, newcomer, 39) == pytest.approx(
        published["E_X_39wk_new_customer"], abs=1e-6
    )


def test_the_hold_out_by_earlier_repeats_is_the_reference_s(bgnbd: Fit, histories: Histories) -> None:
    days = CUSTOMERS.holdout_actual.to_numpy(float)
    checks = list(predictions(bgnbd, histories, HeldOut(days, days**2, (days > 0).astype(float)), 39))
    total = next(check for check in checks if check.name == "hold-out order days")
    assert total.observed == PUBLISHED["bgnbd_cdnow"]["holdout_actual_total_distinct_days"] == 1882
    assert total.expected == pytest.approx(PUBLISHED["bgnbd_cdnow"]["expected_total_holdout_39wk"], abs=1e-3)
    assert round(total.expected, 2) == 1653.42
    by_repeats = [check for check in checks if check.name == "hold-out order days by repeats"]
    with (ORACLES / "bgnbd_cdnow_holdout_by_x.csv").open(encoding="utf-8") as file:
        oracle = list(csv.DictReader(file))
    assert [check.base_count for check in by_repeats] == [int(row["customers"]) for row in oracle]
    assert [check.expected for check in by_repeats] == pytest.approx([float(row["cond_exp"]) for row in oracle])
    assert [check.observed for check in by_repeats] == pytest.approx([float(row["actual"]) for row in oracle])
    shares = [check for check in checks if check.name.endswith("by decile")]
    assert sum(check.base_count for check in shares) == 2357
    bands = {check.part: check for check in checks if check.name.endswith("by band")}
    assert sum(check.base_count for check in bands.values()) == 2357
    assert bands["low"].expected < 0.3 < bands["medium"].expected < 0.7 < bands["high"].expected


def test_mbgnbd_predicts_the_hold_out_too(mbgnbd: Fit, histories: Histories) -> None:
    days = CUSTOMERS.holdout_actual.to_numpy(float)
    checks = list(predictions(mbgnbd, histories, HeldOut(days, days**2, (days > 0).astype(float)), 39))
    theirs = ModifiedBetaGeoFitter()
    theirs.params_ = pd.Series(mbgnbd.parameters)
    wanted = theirs.conditional_expected_number_of_purchases_up_to_time(
        39, histories.repeats, histories.recency, histories.age
    )
    total = next(check for check in checks if check.name == "hold-out order days")
    assert (total.observed, total.expected) == (1882, pytest.approx(float(wanted.sum()), rel=1e-9))
    newcomers = so_far(mbgnbd, histories)
    unconditional = theirs.expected_number_of_purchases_up_to_time(histories.age)
    assert newcomers.expected == pytest.approx(float(unconditional.sum()), rel=1e-9)
    shares = [check for check in checks if check.name.endswith("by decile")]
    alive = btyd.p_alive(btyd.MBGNBD, mbgnbd.parameters, histories)
    assert sum(check.base_count * check.expected for check in shares) < alive.sum()
    assert sum(check.base_count * check.observed for check in shares) == pytest.approx((days > 0).sum())


def test_in_sample_the_model_repeats_what_it_was_fitted_to(bgnbd: Fit, histories: Histories) -> None:
    check = so_far(bgnbd, histories)
    assert check.observed == histories.repeats.sum()
    assert check.expected == pytest.approx(check.observed, rel=0.03)


def test_gamma_gamma_is_the_published_fit(values: Values) -> None:
    oracle = PUBLISHED["gammagamma_cdnow"]
    fit = btyd.fit_values("USD", values)
    assert fit.base_count == oracle["n_repeat"] == 946
    assert {name: round(value, 4) for name, value in fit.parameters.items()} == {"p": 6.2488, "q": 3.7446, "v": 15.4477}
    assert fit.log_likelihood == pytest.approx(oracle["loglik"], abs=1e-4)
    for name, value in fit.parameters.items():
        assert value == pytest.approx(oracle[name], rel=1e-6)
        assert value == pytest.approx(PUBLISHED["lifetimes_0.11.3"]["gg"][name], rel=1e-6)
    assert btyd.correlation(values) == pytest.approx(oracle["corr_x_zbar_repeat"], abs=1e-9)
    summary = pd.read_csv(DATASETS / "cdnow_customers_summary_with_transactions.csv")
    expected = btyd.expected_value(fit.parameters, summary.x.to_numpy(float), (summary.x * summary.zbar).to_numpy())
    assert [round(value, 4) for value in expected[:5]] == oracle["cond_exp_value_first5"]
    assert expected.mean() == pytest.approx(oracle["mean_cond_exp_value_all"], abs=1e-5)
    assert expected[summary.x == 0] == pytest.approx(oracle["E_M"], abs=1e-5)


def test_the_currency_s_size_does_not_matter(values: Values) -> None:
    fit = btyd.fit_values("USD", values)
    in_cents = btyd.fit_values("cents", replace(values, totals=values.totals * 100))
    assert in_cents.parameters["p"] == pytest.approx(fit.parameters["p"], rel=1e-7)
    assert in_cents.parameters["v"] == pytest.approx(100 * fit.parameters["v"], rel=1e-7)
    assert fit.log_likelihood is not None
    assert in_cents.log_likelihood == pytest.approx(fit.log_likelihood - 946 * np.log(100), abs=1e-3)


def test_lifetime_orders_agree_with_lifetimes(bgnbd: Fit, histories: Histories) -> None:
    """Discounted orders x a value of 1 = the package's customer lifetime value (its month is 4.345 weeks)."""
    theirs = BetaGeoFitter()
    theirs.params_ = pd.Series(bgnbd.parameters)
    theirs.predict = theirs.conditional_expected_number_of_purchases_up_to_time
    x, t_x, age = (pd.Series(one[:200]) for one in (histories.repeats, histories.recency, histories.age))
    wanted = _customer_lifetime_value(
        theirs, x, t_x, age, pd.Series(np.ones(200)), time=36, discount_rate=0.01, freq="W"
    )
    ours = btyd.discounted_orders(bgnbd.parameters, _permuted(histories, np.arange(200)), 36, 0.01, 4.345)
    assert ours == pytest.approx(wanted.to_numpy(), rel=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [(0.5, 100.0), (0.99999, 100.0), (1.0, 100.0), (1.00001, 100.0), (3.0, 100.0), (61.0, 1e4), (325.0, 1e4)],
)
@pytest.mark.parametrize(("x", "age"), [(0, 0.0), (2, 38.86), (50, 40.0), (400, 60.0)])
@pytest.mark.parametrize("weeks", [13.0, 156.5])
@pytest.mark.parametrize("model", [btyd.BGNBD, btyd.MBGNBD])
def test_expected_orders_agree_with_the_integral_over_the_chance_to_leave(
    model: str, a: float, b: float, x: int, age: float, weeks: float
) -> None:
    """E = integral of (1 - ((alpha+T)/(alpha+T+p*H))^(r+x)) / p over the posterior of p: beta(a, b+x), and
    beta(a, b+x+1) for MBG/NBD."""
    r, alpha = 0.85, 1.78
    posterior = beta(a, b + x + (model == btyd.MBGNBD))
    integral = quad(
        lambda p: -np.expm1((r + x) * np.log((alpha + age) / (alpha + age + p * weeks))) / p * posterior.pdf(p),
        posterior.ppf(1e-15),
        posterior.ppf(1 - 1e-15),
        epsabs=0,
        epsrel=1e-9,
        limit=500,
    )[0]
    cell = _histories([x], [age], [age])
    parameters = {"r": r, "alpha": alpha, "a": a, "b": b}
    alive = btyd.p_alive(model, parameters, cell)
    assert btyd.expected_orders(parameters, cell, weeks, model) == pytest.approx(integral * alive, rel=1e-5)


def test_order_probability_and_p_alive_by_hand() -> None:
    """r = alpha = a = 1, one repeat a week after the first order, three weeks ago the first; none; four weeks ahead."""
    cells = _histories([1, 0], [1.0, 0.0], [3.0, 3.0])
    values = {"r": 1.0, "alpha": 1.0, "a": 1.0}
    # BG/NBD: 1 / (1 + 1/4 * ((1+3)/(1+1))^2) = .5, and alive for sure without a repeat
    bgnbd, mbgnbd = {**values, "b": 4.0}, {**values, "b": 3.0}
    assert btyd.p_alive(btyd.BGNBD, bgnbd, cells) == pytest.approx([0.5, 1])
    # ... * (1 - ((1+3)/(1+3+4))^2) = .5 * .75, and 1 * (1 - 4/8)
    assert btyd.order_probability(bgnbd, cells, 4, btyd.BGNBD) == pytest.approx([0.375, 0.5])
    # MBG/NBD: the same with b + x: 1 / (1 + 1/4 * 4), 1 / (1 + 1/3 * 4)
    assert btyd.p_alive(btyd.MBGNBD, mbgnbd, cells) == pytest.approx([0.5, 0.42857143])
    assert btyd.order_probability(mbgnbd, cells, 4, btyd.MBGNBD) == pytest.approx([0.375, 0.21428571])


POSITIVE = st.floats(1e-3, 1e4)


@pytest.mark.parametrize("model", [btyd.BGNBD, btyd.MBGNBD])
@settings(derandomize=True)
@given(
    parameters=st.fixed_dictionaries(dict.fromkeys(btyd.ORDERING, POSITIVE)),
    repeats=st.integers(0, 2000),
    weeks=st.tuples(st.floats(0, 1), st.floats(0.1, 1000), st.floats(0.1, 1000)),
)
def test_model_verdict_an_order_is_never_more_likely_than_being_alive(
    model: str, parameters: dict[str, float], repeats: int, weeks: tuple[float, float, float]
) -> None:
    share, age, ahead = weeks
    cells = _histories([repeats], [share * age if repeats else 0.0], [age])
    alive = btyd.p_alive(model, parameters, cells)[0]
    assert 0 <= btyd.order_probability(parameters, cells, ahead, model)[0] <= alive <= 1


@pytest.mark.parametrize("model", [btyd.BGNBD, btyd.MBGNBD])
@settings(max_examples=5, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_rows_changes_no_digit(histories: Histories, model: str, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(histories.counts))[:600]
    fit = btyd.fit_ordering(model, "all", _permuted(histories, order))
    assert fit.is_fitted
    assert btyd.fit_ordering(model, "all", _permuted(histories, order[::-1])) == fit


def test_counted_cells_give_the_fit_of_their_customers(bgnbd: Fit, histories: Histories) -> None:
    stacked = np.column_stack([histories.repeats, histories.recency, histories.age])
    cells, counts = np.unique(stacked, axis=0, return_counts=True)
    counted = btyd.fit_ordering(btyd.BGNBD, "all", Histories(*cells.T, counts.astype(float)))
    assert len(counts) < 2357
    assert counted.base_count == 2357
    assert counted.parameters == pytest.approx(bgnbd.parameters, rel=1e-7)


def test_standard_errors_cover_a_planted_truth() -> None:
    """5,000 customers drawn from the model: every parameter within three standard errors of the truth."""
    chance = np.random.default_rng(11)
    truth = {"r": 0.8, "alpha": 5.0, "a": 1.2, "b": 3.0}
    drawn = [_customer(chance, truth, 52.0) for _ in range(5000)]
    fit = btyd.fit_ordering(btyd.BGNBD, "all", _histories(*zip(*drawn, strict=True)))
    misses = {name: (fit.parameters[name] - truth[name]) / fit.standard_errors[name] for name in truth}
    assert max(abs(miss) for miss in misses.values()) < 3, misses


def _customer(chance: np.random.Generator, truth: dict[str, float], age: float) -> tuple[int, float, float]:
    rate = chance.gamma(truth["r"], 1 / truth["alpha"])
    leaves = chance.beta(truth["a"], truth["b"])
    repeats, last = 0, 0.0
    while (now := last + chance.exponential(1 / rate)) <= age:
        repeats, last = repeats + 1, now
        if chance.random() < leaves:
            break
    return repeats, last, age


def test_where_no_one_leaves_easily_the_chance_is_the_same_for_all() -> None:
    """Customers who never stop: how the chance to leave varies is not in such data, and the fit says so."""
    chance = np.random.default_rng(5)
    truth = {"r": 2.0, "alpha": 2.0, "a": 1e4, "b": 1e6}
    drawn = [_customer(chance, truth, 40.0) for _ in range(300)]
    fit = btyd.fit_ordering(btyd.BGNBD, "all", _histories(*zip(*drawn, strict=True)))
    assert fit.is_fitted
    assert fit.reason == "the chance to leave is taken as the same for all customers"
    assert "b" not in fit.standard_errors
    left = fit.parameters["a"] / (fit.parameters["a"] + fit.parameters["b"])
    assert left == pytest.approx(0.0099, rel=0.3)


@pytest.mark.parametrize("model", [btyd.BGNBD, btyd.MBGNBD])
def test_too_few_repeaters_are_not_fitted(model: str) -> None:
    cells = Histories(np.array([0.0, 1.0]), np.array([0.0, 2.0]), np.array([5.0, 5.0]), np.array([900.0, 49.0]))
    fit = btyd.fit_ordering(model, "all", cells)
    assert (fit.status, fit.reason) == ("not fitted", "49 of the 50 customers who came back needed")
    assert fit.parameters == {}


def test_no_customer_at_all_is_not_fitted() -> None:
    none = Histories(*(np.array([]) for _ in range(4)))
    assert btyd.fit_ordering(btyd.BGNBD, "all", none).reason == "0 of the 50 customers who came back needed"
    assert not btyd.fit_values("USD", Values(*(np.array([]) for _ in range(3)))).is_fitted


def test_all_alike_are_not_fitted() -> None:
    alike = Histories(np.array([3.0]), np.array([6.0]), np.array([8.0]), np.array([500.0]))
    assert btyd.fit_ordering(btyd.BGNBD, "all", alike).reason == "all customers are alike"
    same_value = Values(np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.array([60.0, 60.0]))
    assert btyd.fit_values("USD", same_value).reason == "all customers are alike"


def test_amounts_that_settle_nothing_are_not_fitted() -> None:
    """Values that vary no more within than between customers of one order day: p and q run away together."""
    lonely = Values(np.ones(3), np.array([9.0, 10.0, 11.0]), np.array([40.0, 40.0, 40.0]))
    assert btyd.fit_values("USD", lonely).reason == "no convergence: the amounts do not settle the parameters"


def test_without_a_finite_mean_a_newcomer_has_no_expected_value() -> None:
    expected = btyd.expected_value({"p": 2.0, "q": 0.5, "v": 3.0}, np.array([0.0, 1.0]), np.array([0.0, 6.0]))
    assert np.isnan(expected[0])
    assert expected[1] == pytest.approx(2 * (3 + 6) / (2 + 0.5 - 1))


def test_constant_frequency_has_no_correlation() -> None:
    assert btyd.correlation(Values(np.ones(2), np.array([1.0, 2.0]), np.ones(2))) is None


@pytest.mark.parametrize("model", [btyd.BGNBD, btyd.MBGNBD])
def test_k7_where_all_customers_stay_leaving_does_not_show(model: str) -> None:
    """Orders of customers who never leave, at gamma rates: nothing is gained by letting them leave."""
    chance = np.random.default_rng(3)
    drawn = []
    for rate in chance.gamma(1.2, 0.1, size=600):
        days = np.sort(chance.uniform(0, 52, size=chance.poisson(rate * 52)))
        drawn.append((float(len(days)), float(days[-1]) if len(days) else 0.0, 52.0))
    fit = btyd.fit_ordering(model, "all", _histories(*zip(*drawn, strict=True)))
    assert not fit.is_fitted or fit.reason == btyd.LEAVING_HIDDEN
