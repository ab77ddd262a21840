{#
  What privileges cost and did in a group of profitability__tiers: the lift with its 95 % interval, empty with a
  reason where there is no tier of before, no privilege, or too few customers on either side.
#}
{% macro privilege_columns(lifts, groups) -%}
    {%- set lift_known -%}
        {{ lifts }}.treated_count >= {{ var("min_base") }}
        and {{ lifts }}.control_count >= {{ var("min_base") }}
    {%- endset -%}
    {% for name, what, figure in [
        (
            "privilege_customer_count",
            "interaction_kinds",
            "cast(" ~ lifts ~ ".treated_count as bigint)",
        ),
        (
            "privilege_control_count",
            "interaction_kinds",
            "cast(" ~ lifts ~ ".control_count as bigint)",
        ),
        (
            "privilege_cost_amount",
            ["interaction_kinds", "interaction_costs"],
            "cast(" ~ lifts ~ ".cost_amount as " ~ type_amount() ~ ")",
        ),
    ] %}
        {{ when_delivered(what, figure) }} as {{ name }},
    {% endfor %}
    case when {{ lift_known }} then {{ lifts }}.lift end as privilege_lift_amount,
    {% for bound, sign in [("low", "-"), ("high", "+")] %}
        case
            when {{ lift_known }}
            then {{ lifts }}.lift {{ sign }} {{ var("z_score") }} * {{ lifts }}.lift_se
        end as privilege_lift_amount_{{ bound }},
    {% endfor %}
    case
        when {{ groups }}.group_by <> 'tier_prior'
        then 'compared inside the tiers of the window before only'
        when not {{ groups }}.is_ranked
        then 'not ranked in the window before, so nothing to compare with'
        when coalesce({{ lifts }}.treated_count, 0) = 0
        then 'no privilege was given in the window'
        when not ({{ lift_known }})
        then 'too few customers with, or without, a privilege'
    end as privilege_lift_missing_reason
{%- endmacro %}
