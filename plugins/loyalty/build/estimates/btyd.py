"""How often customers without a contract will buy, and for how much: the "buy till you die" models.

BG/NBD (Fader, Hardie & Lee 2005, Marketing Science 24:275-284): while alive a customer orders as a Poisson
process whose rate is gamma(r, alpha) over customers, and after every order leaves for good with a chance that
is beta(a, b) over customers. MBG/NBD (Batislam, Denizel & Filiztekin 2007) lets them leave after the first
order too. Gamma-Gamma (Fader & Hardie 2013, brucehardie.com/notes/025): the value of an order day varies
around a customer's own mean, which varies over customers, independently of how often they order.

All run on counts: of customers with x repeat order days, the last of them t_x and today T weeks after the
first order, or of repeaters with x repeat order days worth a total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaln, digamma, expit, gammaln, hyp2f1

from loyalty.build.estimates.fits import Fit, not_fitted, shielded
from loyalty.build.estimates.likelihood import Maximum, fitted, maximise

BGNBD = "bgnbd"
MBGNBD = "mbgnbd"
GAMMA_GAMMA = "gamma_gamma"

# Four parameters cannot be estimated from fewer customers who came back.
LEAST_REPEATERS = 50

ORDERING = ("r", "alpha", "a", "b")
VALUE = ("p", "q", "v")

# A beta(a, b) of chances with so large a b has no spread left: all customers have the chance a/b to leave.
EQUAL_CHANCES = 1e4

# This near to a = 1 the expectation is 0/0 and is read from both sides of it.
NEAR_ONE = 1e-4


# Twice the gain in log-likelihood that two parameters of leaving have by chance in one of twenty samples (chi-square).
LEAST_GAIN = 5.991

LEAVING_HIDDEN = "leaving does not show in these data"


@dataclass(frozen=True)
class Histories:
    """Customers by their order history: counts of (x, t_x, T), times in weeks since the first order."""

    repeats: np.ndarray
    recency: np.ndarray
    age: np.ndarray
    counts: np.ndarray

    def in_order(self) -> Histories:
        """The same cells sorted, so that the order they came in changes no digit."""
        order = np.lexsort((self.counts, self.age, self.recency, self.repeats))
        return Histories(self.repeats[order], self.recency[order], self.age[order], self.counts[order])


@dataclass(frozen=True)
class Values:
    """Repeaters by what their repeat order days were worth: counts of (x, total amount)."""

    repeats: np.ndarray
    totals: np.ndarray
    counts: np.ndarray

    def in_order(self) -> Values:
        """The same cells sorted, so that the order they came in changes no digit."""
        order = np.lexsort((self.counts, self.totals, self.repeats))
        return Values(self.repeats[order], self.totals[order], self.counts[order])


@shielded(BGNBD, lambda fit: fit)
def fit_ordering(model: str, scope: str, histories: Histories) -> Fit:
    """BG/NBD or MBG/NBD: r, alpha, a and b with their standard errors.

    Where the orders do not settle how much the chance to leave varies over customers, it is taken as the same
    for all (b very large, with the reason kept). Not fitted with fewer than 50 customers who came back, where all
    histories are alike, and where even then the likelihood has no maximum.
    """
    cells = histories.in_order()
    n = int(cells.counts.sum())
    repeaters = int(cells.counts[cells.repeats > 0].sum())
    if repeaters < LEAST_REPEATERS:
        return not_fitted(model, scope, n, f"{repeaters} of the {LEAST_REPEATERS} customers who came back needed")
    if len(np.unique(cells.repeats)) == 1 and len(np.unique(cells.recency)) == 1:
        return not_fitted(model, scope, n, "all customers are alike")
    mean_age = float((cells.age * cells.counts).sum() / n)
    mean_repeats = float((cells.repeats * cells.counts).sum() / n)
    start = (1.0, max(mean_age / mean_repeats, NEAR_ONE), 1.0, 1.0)

    def likelihood(values: np.ndarray) -> tuple[float, np.ndarray]:
        return _ordering_likelihood(values, cells, model == MBGNBD)

    def of_equal_chances(values: np.ndarray) -> tuple[float, np.ndarray]:
        value, slopes = likelihood(np.append(values, EQUAL_CHANCES))
        return value, slopes[:-1]

    found = maximise(likelihood, start)
    if found is not None:
        return _with_doubt(fitted(model, scope, n, ORDERING, found), cells)
    found = maximise(of_equal_chances, (*start[:2], EQUAL_CHANCES / 100))
    if found is None:
        return not_fitted(model, scope, n, "no convergence: the orders do not settle the parameters")
    equal = fitted(model, scope, n, ORDERING[:-1], found)
    parameters = {**equal.parameters, ORDERING[-1]: EQUAL_CHANCES}
    reason = "the chance to leave is taken as the same for all customers"
    return _with_doubt(replace(equal, parameters=parameters, reason=reason), cells)


def _with_doubt(fit: Fit, cells: Histories) -> Fit:
    """The fit, with the reason why its P(alive) says nothing.

    Either the orders are as likely where no customer ever leaves (NBD, Ehrenberg 1959), or the error of a parameter of
    leaving is above the parameter.
    """
    staying = maximise(
        lambda values: _staying_likelihood(values, cells), (fit.parameters["r"], fit.parameters["alpha"])
    )
    gain = 2 * (fit.log_likelihood - staying.log_likelihood) if staying and fit.log_likelihood else np.inf
    is_unsettled = any(fit.standard_errors.get(name, 0.0) > fit.parameters[name] for name in ("a", "b"))
    return replace(fit, reason=LEAVING_HIDDEN) if gain < LEAST_GAIN or is_unsettled else fit


def _staying_likelihood(values: np.ndarray, cells: Histories) -> tuple[float, np.ndarray]:
    """Log-likelihood and slopes of the same orders if all customers stay: only gamma(r, alpha) rates."""
    r, alpha = values
    x, age, counts = cells.repeats, cells.age, cells.counts
    likelihood = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha) - np.log(alpha + age)
    by_alpha = r / alpha - (r + x) / (alpha + age)
    return float((counts * likelihood).sum()), np.array([(counts * by).sum() for by in (by_r, by_alpha)])


def _ordering_likelihood(values: np.ndarray, cells: Histories, dropout_at_first: bool) -> tuple[float, np.ndarray]:
    """Log-likelihood and slopes; with `dropout_at_first` the MBG/NBD's, else the BG/NBD's.

    The two differ by one chance to leave: after x orders and the first (b + x + 1, MBG/NBD), or after x (b + x,
    BG/NBD, where a customer who did not come back is always alive).
    """
    r, alpha, a, b = values
    x, t_x, age, counts = cells.repeats, cells.recency, cells.age, cells.counts
    stays = b + x + (1 if dropout_at_first else 0)
    may_have_left = np.full(len(x), True) if dropout_at_first else x > 0
    still_here = -(r + x) * np.log(alpha + age)
    stayed_before = np.where(may_have_left, stays - 1, 1)
    left = np.where(may_have_left, np.log(a / stayed_before) - (r + x) * np.log(alpha + t_x), -np.inf)
    either = np.logaddexp(still_here, left)
    alive = np.exp(still_here - either)
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, stays) - betaln(a, b)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha) - alive * np.log(alpha + age) - (1 - alive) * np.log(alpha + t_x)
    by_alpha = r / alpha - (r + x) * (alive / (alpha + age) + (1 - alive) / (alpha + t_x))
    by_a = digamma(a + b) - digamma(a + stays) + (1 - alive) / a
    by_b = digamma(stays) - digamma(a + stays) - digamma(b) + digamma(a + b) - (1 - alive) / stayed_before
    slopes = np.array([(counts * by).sum() for by in (by_r, by_alpha, by_a, by_b)])
    return float((counts * (common + either)).sum()), slopes


def p_alive(model: str, parameters: Mapping[str, float], histories: Histories) -> np.ndarray:
    """P(alive) per cell. BG/NBD: 1 without a repeat, else 1/(1+a/(b+x-1)*((alpha+T)/(alpha+t_x))^(r+x));
    MBG/NBD: 1/(1+a/(b+x)*((alpha+T)/(alpha+t_x))^(r+x))."""
    r, alpha, a, b = (parameters[name] for name in ORDERING)
    x = histories.repeats
    gone = (r + x) * np.log((alpha + histories.age) / (alpha + histories.recency))
    if model == MBGNBD:
        return expit(np.log((b + x) / a) - gone)
    repeated = x > 0
    return np.where(repeated, expit(np.log(np.where(repeated, b + x - 1, 1) / a) - gone), 1.0)


def order_probability(
    parameters: Mapping[str, float], histories: Histories, weeks: float, model: str = BGNBD
) -> np.ndarray:
    """P(at least one order in the next `weeks`) = P(alive)*(1-((alpha+T)/(alpha+T+H))^(r+x)), P(alive) the model's."""
    r, alpha = parameters["r"], parameters["alpha"]
    silent = (r + histories.repeats) * np.log((alpha + histories.age) / (alpha + histories.age + weeks))
    return p_alive(model, parameters, histories) * -np.expm1(silent)


def expected_orders(
    parameters: Mapping[str, float], histories: Histories, weeks: float | np.ndarray, model: str = BGNBD
) -> np.ndarray:
    """Expected order days in the next `weeks`, given the history (Fader, Hardie & Lee 2005, eq. 10). MBG/NBD's are
    the same with b + 1 for b, because every customer had one more chance to leave, and with its own P(alive).

    The part of 1/p that outlives the horizon, (1-z)^(r+x) * 2F1(r+x, b+x; a+b+x-1; z), is worked out by Euler's
    transformation as (1-z)^(a-1) * 2F1(a+b-1-r, a-1; a+b+x-1; z), which stays finite for customers with hundreds
    of orders. The published form is used where only it is finite (a large); the part is 0 where neither is finite.
    """
    a = parameters["a"]
    if abs(a - 1) < NEAR_ONE:
        beside = ({**parameters, "a": 1 + side * NEAR_ONE} for side in (-2, 2))
        sides = [expected_orders(values, histories, weeks, model) for values in beside]
        return (sides[0] + sides[1]) / 2
    r, alpha, b = parameters["r"], parameters["alpha"], parameters["b"] + (model == MBGNBD)
    x = histories.repeats
    z = weeks / (alpha + histories.age + weeks)
    with np.errstate(all="ignore"):
        by_euler = np.exp((a - 1) * np.log1p(-z)) * hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
        as_published = np.exp((r + x) * np.log1p(-z)) * hyp2f1(r + x, b + x, a + b + x - 1, z)
    outliving = np.where(np.isfinite(by_euler), by_euler, np.nan_to_num(as_published, nan=0.0, posinf=0.0))
    return (a + b + x - 1) / (a - 1) * (1 - outliving) * p_alive(model, parameters, histories)


def discounted_orders(
    parameters: Mapping[str, float],
    histories: Histories,
    months: int,
    monthly_rate: float,
    weeks_a_month: float,
    model: str = BGNBD,
) -> np.ndarray:
    """Expected order days of the next `months`, those of month t divided by (1 + monthly rate)^t."""
    before = np.zeros(len(histories.repeats))
    total = np.zeros(len(histories.repeats))
    for month in range(1, months + 1):
        until = expected_orders(parameters, histories, month * weeks_a_month, model)
        total += (until - before) / (1 + monthly_rate) ** month
        before = until
    return total


@shielded(GAMMA_GAMMA, lambda fit: fit)
def fit_values(scope: str, values: Values) -> Fit:
    """Gamma-Gamma: p, q and v with their standard errors.

    Not fitted with fewer than 50 repeaters of a value above 0, where all spend alike, and where the likelihood has
    no maximum.
    """
    cells = values.in_order()
    n = int(cells.counts.sum())
    if n < LEAST_REPEATERS:
        return not_fitted(GAMMA_GAMMA, scope, n, f"{n} of the {LEAST_REPEATERS} customers who came back needed")
    means = cells.totals / cells.repeats
    if len(np.unique(means)) == 1:
        return not_fitted(GAMMA_GAMMA, scope, n, "all customers are alike")
    scale = float((means * cells.counts).sum() / n)
    # in units of the mean value, so that the currency's size does not matter to the search
    relative = Values(cells.repeats, cells.totals / scale, cells.counts)
    found = maximise(lambda one: _value_likelihood(one, relative), start=(3.0, 3.0, 1.0))
    if found is None:
        return not_fitted(GAMMA_GAMMA, scope, n, "no convergence: the amounts do not settle the parameters")
    unit = np.array([1.0, 1.0, scale])
    rescaled = Maximum(
        values=found.values * unit,
        standard_errors=found.standard_errors * unit,
        log_likelihood=found.log_likelihood - n * float(np.log(scale)),
        iterations=found.iterations,
    )
    return fitted(GAMMA_GAMMA, scope, n, VALUE, rescaled)


def _value_likelihood(values: np.ndarray, cells: Values) -> tuple[float, np.ndarray]:
    """Log-likelihood of mean values m = total / x (Fader & Hardie 2013, eq. 1a) and its slopes."""
    p, q, v = values
    x, total, counts = cells.repeats, cells.totals, cells.counts
    mean = total / x
    likelihood = (
        gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v) + (p * x - 1) * np.log(mean)
        + p * x * np.log(x) - (p * x + q) * np.log(total + v)
    )  # fmt: skip
    by_p = x * (digamma(p * x + q) - digamma(p * x) + np.log(total) - np.log(total + v))
    by_q = digamma(p * x + q) - digamma(q) + np.log(v) - np.log(total + v)
    by_v = q / v - (p * x + q) / (total + v)
    slopes = np.array([(counts * by).sum() for by in (by_p, by_q, by_v)])
    return float((counts * likelihood).sum()), slopes


def expected_value(parameters: Mapping[str, float], repeats: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Expected value of an order day, E(M|x,m) = (p*v + p*x*m) / (p*x + q - 1); NaN where q is not above 1 and
    no customer's own orders make up for it."""
    p, q, v = (parameters[name] for name in VALUE)
    base = p * repeats + q - 1
    return np.where(base > 0, p * (v + totals) / np.where(base > 0, base, 1), np.nan)


def correlation(values: Values) -> float | None:
    """Correlation of how often with how much: Gamma-Gamma assumes that there is none. None if one is constant."""
    cells = values.in_order()
    weights = cells.counts / cells.counts.sum()
    means = cells.totals / cells.repeats
    often = cells.repeats - (weights * cells.repeats).sum()
    much = means - (weights * means).sum()
    spread = float(np.sqrt((weights * often**2).sum() * (weights * much**2).sum()))
    return float((weights * often * much).sum()) / spread if spread > 0 else None
