{%- set churn = [
    "upper_churn_rate",
    "upper_active_count",
    "lower_churn_rate",
    "lower_active_count",
] -%}
{%- set ratios = ["risk_ratio", "odds_ratio", "adjusted_odds_ratio"] -%}
with
    contrasts as (select * from {{ ref("int_satisfaction__contrasts") }}),

    named as (
        select
            *,
            case
                when contrast = 'step'
                then
                    cast(cast(upper_score as integer) as {{ dbt.type_string() }})
                    || ' v '
                    || cast(cast(upper_score - 1 as integer) as {{ dbt.type_string() }})
                else contrast
            end as contrast_name,
            least(upper_customer_count, lower_customer_count)
            < {{ var("min_base") }} as is_suppressed,
            least(upper_intent_count, lower_intent_count)
            < {{ var("min_base") }} as is_intent_suppressed,
            least(upper_active_count, lower_active_count)
            < {{ var("min_base") }} as is_churn_suppressed
        from contrasts
    ),

    shown as (
        select
            *,
            case when not is_suppressed then upper_rate end as upper_repurchase_rate,
            case when not is_suppressed then lower_rate end as lower_repurchase_rate,
            case
                when not is_churn_suppressed
                then {{ div("upper_churned_count", "upper_active_count") }}
            end as upper_churn_rate,
            case
                when not is_churn_suppressed
                then {{ div("lower_churned_count", "lower_active_count") }}
            end as lower_churn_rate,
            case when not is_suppressed then risk_ratio_limit end as shown_limit
        from named
    ),

    final as (
        select
            {{
                made_key(
                    ["source", "survey_id", "segment_by", "segment", "contrast_name"]
                )
            }} as loyalty_contrast_key,
            source,
            survey_id,
            segment_by,
            segment,
            contrast_name as contrast,
            {{ var("horizon_days") }} as horizon_days,
            upper_customer_count as upper_count,
            lower_customer_count as lower_count,
            is_suppressed,
            upper_repurchase_rate,
            lower_repurchase_rate,
            {% for end in ["", "_low", "_high"] %}
                case
                    when not is_suppressed then rate_difference{{ end }}
                end as rate_difference{{ end }},
            {% endfor %}
            {% for name in ratios %}
                {% for end in ["", "_low", "_high"] %}
                    case
                        when not is_suppressed then {{ name }}{{ end }}
                    end as {{ name }}{{ end }},
                {% endfor %}
            {% endfor %}
            not is_suppressed and is_adjusted as is_adjusted,
            has_zero_cell,
            shown_limit as risk_ratio_limit,
            shown_limit >= 6 as is_six_times_in_reach,
            {% for end in ["", "_low", "_high"] %}
                case
                    when not is_intent_suppressed then intent_risk_ratio{{ end }}
                end as intent_risk_ratio{{ end }},
            {% endfor %}
            least(upper_intent_count, lower_intent_count) as intent_count,
            upper_active_count,
            upper_churn_rate,
            lower_active_count,
            lower_churn_rate,
            upper_churn_rate - lower_churn_rate as churn_rate_difference,
            {{ difference_bound("-", *churn) }} as churn_rate_difference_low,
            {{ difference_bound("+", *churn) }} as churn_rate_difference_high,
            case
                when is_suppressed
                then 'too few customers on one side'
                when not is_adjusted
                then 'no comparison among equals: a stratum is empty or all alike'
                when segment_by = 'all' and {{ has_interviewers() }}
                then
                    'association, not cause; interviewers lift fours to fives: see segment_by interviewer'
                else 'association, not cause'
            end as caveat
        from shown
    )

select *
from final
