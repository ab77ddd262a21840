"""Steps in a curve of rates: found where they are, and refused where the data cannot show them."""

from __future__ import annotations

import pytest

from loyalty.build.estimates import thresholds


def _cells(rates: dict[float, float], n: int) -> list[thresholds.Cell]:
    return [thresholds.Cell(value, n, round(n * rate)) for value, rate in rates.items()]


def test_three_steps_are_distinguished_from_a_line() -> None:
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
