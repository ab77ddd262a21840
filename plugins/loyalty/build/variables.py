"""The vars of the dbt project that a workspace may set under `vars:`: of which type each is, and in which range.

What each decides, and its default, is in dbt_project/dbt_project.yml. A wrong one is named before anything is built.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, StringConstraints, TypeAdapter, ValidationError

from loyalty.common.errors import as_found, nearest
from loyalty.common.settings import LONGEST_DAYS

Whole = Annotated[int, Strict()]
Number = Annotated[float, Field(allow_inf_nan=False)]

Days = Annotated[Whole, Field(ge=1, le=LONGEST_DAYS)]
DaysOrNone = Annotated[Whole, Field(ge=0, le=LONGEST_DAYS)]
Months = Annotated[Whole, Field(ge=1, le=1200)]
MonthsOrNone = Annotated[Whole, Field(ge=0, le=1200)]
Hours = Annotated[Whole, Field(ge=1, le=24 * LONGEST_DAYS)]
Count = Annotated[Whole, Field(ge=1, le=1_000_000_000)]
Share = Annotated[Number, Field(ge=0, le=1)]
InnerShare = Annotated[Number, Field(gt=0, lt=1)]
Amount = Annotated[Number, Field(ge=0)]
Positive = Annotated[Number, Field(gt=0)]
Percent = Annotated[Number, Field(ge=0, le=100)]
Switch = Annotated[bool, Strict()]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")]
Words = list[Annotated[str, Strict(), StringConstraints(min_length=1)]]
Columns = list[ColumnName]
Weights = Annotated[dict[str, Amount], Field(min_length=1)]

VARIABLES: dict[str, Any] = {
    # time and counting
    "churn_days": Days,
    "left_truncation": Switch,
    "stage_new_days": Days,
    "stage_old_days": Days,
    "loyalty_window_months": Months,
    "loyal_signs_known": Annotated[Whole, Field(ge=1, le=4)],
    "loyal_signs_share": Share,
    "loyal_share_of_wallet": Share,
    "loyalty_index_weights": Weights,
    "attitude_cut": Percent,
    "key_account_share_drop": Share,
    "profile_fields": Columns,
    # next actions
    "thank_top_count": Count,
    "complaint_action_days": Days,
    "detractor_action_days": Days,
    "consent_column": ColumnName,
    "segments": Columns,
    # retention
    "fading_min_gaps": Count,
    "fading_silence": Positive,
    "trend_gaps": Count,
    "trend_months": Months,
    "survival_horizon_days": Days,
    "stable_months": Months,
    "variation_months": Months,
    "heavy_percentile": InnerShare,
    # bases and intervals
    "min_base": Count,
    "min_base_nps": Count,
    "z_score": Positive,
    # purchase and contract models
    "prediction_days": Days,
    "holdout_share": InnerShare,
    "clv_months": Months,
    "yearly_discount_rate": Annotated[Number, Field(ge=0, le=10)],
    "margin_segment": ColumnName,
    "margin_prior_days": Amount,
    "contract_period_months": Months,
    "contract_future_periods": Count,
    "model_tolerance": Share,
    "probability_tolerance": Share,
    "correlation_limit": Share,
    "min_effective_share": Share,
    # profitability
    "min_cost_coverage": Share,
    "value_window_months": MonthsOrNone,
    "tier_measure": Literal["cm3", "net_revenue"],
    "costs_from_records": Words,
    "assumed_cost_rates": Switch,
    "reseller_bulk_multiple": Positive,
    "reseller_bulk_days": Count,
    "reseller_bulk_share": Share,
    # surveys and satisfaction
    "horizon_days": Days,
    "landmark_days": Days,
    "dissatisfied_to": Annotated[Number, Field(ge=1, lt=5)],
    "index_weights": Weights,
    "c_tolerance": Share,
    "response_by": Literal["customer", "order"],
    "battery_items": Count,
    "survey_base_days": Days,
    "complacency_share": Share,
    "complacency_top_box": Share,
    "driver_min_base": Count,
    "driver_min_base_each": Count,
    "item_min_share": Share,
    "price_tolerance": Share,
    # complaints and word of mouth
    "sla_hours": Hours,
    "ticket_horizon_days": Days,
    "expected_complaint_rate_low": InnerShare,
    "expected_complaint_rate_high": InnerShare,
    "technical_categories": Words,
    "issue_trend_months": Months,
    "warning_days": Days,
    "followup_hours": Hours,
    "wom_dissatisfied": Amount,
    "wom_satisfied": Amount,
    "wom_delighted": Amount,
    # survey work
    "control_waves": Count,
    "control_sigma": Positive,
    "lag_waves": Count,
    "lag_months": MonthsOrNone,
    "survey_item_limit": Count,
    "mail_waves_a_year": Annotated[Whole, Field(ge=0)],
    "expected_complaint_rate": InnerShare,
    # contacts and programme
    "contact_window_days": Days,
    "contact_cap": Annotated[Whole, Field(ge=0)],
    "care_kinds": Words,
    "points_grace_days": DaysOrNone,
    "point_value": Amount | None,
    "lift_days": Days,
    "exposure_days": Days,
    "offer_new_days": Days,
    "unanswered_days": Days,
    "pair_categories": Count,
    "trend_break_p": InnerShare,
    "trend_break_months": Months,
    # wallet
    "min_peer_cell": Count,
    "wallet_peer_column": ColumnName,
    "high_potential_percentile": InnerShare,
    "peer_percentile": InnerShare,
}

# What was expected, in words of the person who writes the YAML.
EXPECTED = {
    "int_type": "a whole number is expected",
    "float_type": "a number is expected",
    "float_parsing": "a number is expected",
    "bool_type": "true or false is expected",
    "string_type": "a text is expected",
    "list_type": "a list is expected, such as [a, b]",
    "dict_type": "`key: number` pairs are expected",
    "string_pattern_mismatch": "the name of a column is expected: lower-case letters, digits and underscores",
    "finite_number": "a number is expected",
}


def wrong_variables(given: dict[str, Any], known: set[str]) -> list[str]:
    """One sentence for each var that does not exist, has another type or is out of its range.

    `known` are the vars that the dbt project declares; one of a user's own that is not in the table above takes any
    value.
    """
    wrong = []
    for name, value in given.items():
        if name not in known:
            wrong.append(f"there is no var `{name}`{nearest(str(name), known)}")
        elif why := _wrong_value(name, value):
            wrong.append(f"var `{name}`: {why}{as_found(value)}")
    return wrong


def _wrong_value(name: str, value: Any) -> str:
    if name not in VARIABLES:
        return ""
    if isinstance(value, bool) and VARIABLES[name] is not Switch:
        return "true and false are no value of it"
    if isinstance(value, str) and _takes_numbers(name):
        return "a number is expected, without quotes"
    try:
        TypeAdapter(VARIABLES[name]).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        message = EXPECTED.get(first["type"], first["msg"].replace("Input should be", "it should be"))
        place = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or part in (value or ()))
        return f"{place}: {message}" if place else message
    return ""


def _takes_numbers(name: str) -> bool:
    return TypeAdapter(VARIABLES[name]).json_schema().get("type") in ("integer", "number")
