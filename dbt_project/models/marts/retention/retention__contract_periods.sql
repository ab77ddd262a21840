with
    periods as (select * from {{ ref("int_retention__contract_periods") }}),

    final as (
        select
            source,
            plan,
            cast(period_number as integer) as period_number,
            is_observed,
            cast(at_risk_count as bigint) as at_risk_count,
            cast(ended_count as bigint) as ended_count,
            coalesce(at_risk_count < {{ var("min_base") }}, false) as is_suppressed,
            {% for name, value in [
                ("retention_rate", "retention_rate"),
                (
                    "retention_rate_low",
                    wilson_low("retention_rate", "at_risk_count"),
                ),
                (
                    "retention_rate_high",
                    wilson_high("retention_rate", "at_risk_count"),
                ),
                ("survival_rate", "survival_rate"),
            ] %}
                cast(
                    {{ suppress_small(value, "at_risk_count") }} as {{ type_double() }}
                ) as {{ name }},
            {% endfor %}
            cast(
                expected_retention_rate as {{ type_double() }}
            ) as expected_retention_rate,
            cast(
                expected_survival_rate as {{ type_double() }}
            ) as expected_survival_rate,
            cast(
                expected_lifetime_periods as {{ type_double() }}
            ) as expected_lifetime_periods,
            missing_reason
        from periods
    )

select *
from final
