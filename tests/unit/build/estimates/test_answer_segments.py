"""Kinds of answers: planted ones are found, a silhouette by hand, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from loyalty.build.estimates import answer_segments


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
    assert reason(twins) == "the dimensions are collinear (singular)"
    assert reason([answer_segments.AnswerCell((place,), 50) for place in (10, 50, 90)]) == (
        "one dimension makes no segments"
    )
