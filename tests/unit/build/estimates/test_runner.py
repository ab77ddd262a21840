"""One estimate that fails takes no other with it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import ModuleType

import duckdb
import numpy as np
import pytest

from loyalty.build.estimates import runner
from loyalty.build.estimates.fits import FAILED, FITTED, Fit, failed, shielded, with_checks
from loyalty.build.estimates.runner import STEPS, TABLES, ensure_tables

AS_OF = date(2026, 5, 31)


def statuses(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    return connection.execute("select model, status, reason from estimates.fits order by model").fetchall()


@pytest.mark.parametrize("broken", STEPS, ids=lambda step: step.__name__.rpartition(".")[2])
def test_a_step_that_ends_in_an_error_is_a_failed_fit_and_the_others_go_on(
    broken: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fits(step: ModuleType) -> list[Fit]:
        if step is broken:
            raise np.linalg.LinAlgError("Singular matrix")
        return [Fit(step.__name__, "all", FITTED, 100)]

    for step in STEPS:
        monkeypatch.setattr(step, "fit", lambda *_, step=step: fits(step))
    with duckdb.connect() as connection:
        ensure_tables(connection)
        for table in broken.TABLES:  # as an earlier build left it
            columns = ", ".join("null" for _ in TABLES[table])
            connection.execute(f"insert into estimates.{table} values ({columns})")
        found = runner.run(connection, AS_OF, logs=tmp_path)
        assert [fit.is_fitted for fit in found] == [step is not broken for step in STEPS]
        assert [(status, reason) for _, status, reason in statuses(connection) if status == FAILED] == [
            (FAILED, "LinAlgError: Singular matrix")
        ]
        for table in broken.TABLES:
            assert connection.execute(f"select count(*) from estimates.{table}").fetchall() == [(0,)]
    assert "Singular matrix" in next(tmp_path.iterdir()).read_text()


def test_one_scope_that_fails_is_named_and_the_next_is_fitted() -> None:
    @shielded("a model", lambda fit: fit)
    def fit_one(scope: str, value: float) -> Fit:
        return Fit("a model", scope, FITTED, 10, parameters={"a": 1 / value})

    fits = [fit_one(scope, value) for scope, value in (("x", 2.0), ("y", 0.0), ("z", 4.0))]
    assert [fit.status for fit in fits] == [FITTED, FAILED, FITTED]
    assert (fits[1].scope, fits[1].reason) == ("y", "ZeroDivisionError: float division by zero")


def test_checks_that_fail_leave_the_fit() -> None:
    fit = Fit("a model", "all", FITTED, 10, parameters={"a": 1.0})

    def no_checks() -> list:
        raise ValueError("nothing to compare")

    judged = with_checks(fit, no_checks)
    assert (judged.is_fitted, judged.parameters) == (True, {"a": 1.0})
    assert judged.reason == "its checks failed (ValueError: nothing to compare)"


def test_a_failed_fit_says_what_went_wrong_in_one_line() -> None:
    assert str(failed("a model", "x", ValueError("first\nsecond"))) == "a model of x: failed, ValueError: first"
