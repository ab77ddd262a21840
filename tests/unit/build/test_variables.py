"""The vars of a workspace are checked before anything is built."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from loyalty.build.variables import VARIABLES, wrong_variables
from loyalty.common.settings import shipped

DECLARED: dict[str, Any] = yaml.safe_load((shipped("dbt_project") / "dbt_project.yml").read_text(encoding="utf-8"))[
    "vars"
]["loyalty"]


def test_every_var_of_the_project_has_a_type_and_its_default_is_right() -> None:
    assert VARIABLES.keys() == DECLARED.keys(), "edit plugins/loyalty/build/variables.py beside dbt_project.yml"
    assert wrong_variables(DECLARED, set(DECLARED)) == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("churn_days", -5, "var `churn_days`: it should be greater than or equal to 1"),
        ("churn_days", 0, "greater than or equal to 1"),
        ("churn_days", "abc", "a number is expected, without quotes"),
        ("churn_days", "60", "a number is expected, without quotes"),
        ("churn_days", 60.5, "whole number"),
        ("churn_days", True, "true and false"),
        ("churn_days", None, "whole number"),
        ("churn_days", [60], "whole number"),
        ("churn_days", 10**9, "less than or equal to"),
        ("min_cost_coverage", 95, "less than or equal to 1"),
        ("holdout_share", 1, "less than 1"),
        ("z_score", float("nan"), "a number is expected"),
        ("tier_measure", "cm4", "'cm3' or 'net_revenue'"),
        ("left_truncation", "yes", "true or false"),
        ("segments", "region", "a list is expected"),
        ("segments", ["region; drop table x"], "the name of a column"),
        ("index_weights", {"overall_satisfaction": -1}, "overall_satisfaction: it should be greater than"),
        ("index_weights", {}, "at least 1"),
        ("chrun_days", 60, "there is no var `chrun_days`; did you mean `churn_days`"),
    ],
)
def test_a_wrong_var_is_named_with_what_it_should_be(name: str, value: Any, sentence: str) -> None:
    (wrong,) = wrong_variables({name: value}, set(DECLARED))
    assert sentence in wrong


def test_right_vars_pass_and_a_var_of_ones_own_is_free() -> None:
    given = {
        "churn_days": 90,
        "point_value": None,
        "tier_measure": "net_revenue",
        "yearly_discount_rate": 0,
        "my_var": "x",
    }
    assert wrong_variables(given, {*DECLARED, "my_var"}) == []
