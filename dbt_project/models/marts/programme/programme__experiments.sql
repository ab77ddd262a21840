with
    comparisons as (
        select * from {{ ref("int_programme__comparisons") }} where kind = 'campaign'
    ),

    campaigns as (select * from {{ ref("fct_campaigns") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            comparisons.result_key as experiment_key,
            comparisons.source,
            comparisons.compared_key as campaign_key,
            campaigns.campaign_id,
            comparisons.month,
            comparisons.measure,
            case
                when comparisons.measure = 'cm3' then as_of.reporting_currency_code
            end as currency_code,
            cast(coalesce(comparisons.treated_count, 0) as bigint) as treated_count,
            cast(coalesce(comparisons.control_count, 0) as bigint) as control_count,
            case
                when comparisons.reason is null then comparisons.after_treated_mean
            end as treated_mean,
            case
                when comparisons.reason is null then comparisons.after_control_mean
            end as control_mean,
            {{ lift_columns("comparisons", "difference") }},
            case
                when comparisons.reason is null and comparisons.matched_error > 0
                then
                    {{
                        normal_p_value(
                            "comparisons.matched_difference / comparisons.matched_error"
                        )
                    }}
            end as matched_p_value,
            case
                when comparisons.reason is null then comparisons.trend_p_value
            end as pre_trend_p_value,
            comparisons.reason
        from comparisons
        cross join as_of
        left join campaigns on comparisons.compared_key = campaigns.campaign_key
    )

select *
from final
