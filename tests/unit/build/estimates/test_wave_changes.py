"""Changes between two waves, with and without the same people in both."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from loyalty.build.estimates import wave_changes


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
