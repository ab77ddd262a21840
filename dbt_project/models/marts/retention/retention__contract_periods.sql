with
    periods as (select * from {{ ref("fct_contract_periods") }}),

    final as (
        select
            source,
            plan,
            cast(period_number as integer) as period_number,
            is_observed,
            cast(at_risk_count as bigint) as at_risk_count,
            cast(ended_count as bigint) as ended_count,
            coalesce(at_risk_count < {{ var("min_base") }}, false) as is_suppressed,
            case
                when at_risk_count >= {{ var("min_base") }}
                then cast(retention_rate as {{ type_double() }})
            end as retention_rate,
            case
                when at_risk_count >= {{ var("min_base") }}
                then
                    cast(
                        {{ wilson_low("retention_rate", "at_risk_count") }}
                        as {{ type_double() }}
                    )
            end as retention_rate_low,
            case
                when at_risk_count >= {{ var("min_base") }}
                then
                    cast(
                        {{ wilson_high("retention_rate", "at_risk_count") }}
                        as {{ type_double() }}
                    )
            end as retention_rate_high,
            cast(
                expected_retention_rate as {{ type_double() }}
            ) as expected_retention_rate,
            case
                when at_risk_count >= {{ var("min_base") }}
                then cast(survival_rate as {{ type_double() }})
            end as survival_rate,
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
