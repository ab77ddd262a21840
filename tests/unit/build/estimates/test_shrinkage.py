"""Shares of small groups, drawn towards the others: a planted prior is found again, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom

from loyalty.build.estimates import shrinkage


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
