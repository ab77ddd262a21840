{# Whether a customer orders by habit, and whether the relationship fades: silence, or gaps that grow. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    -- fewer gaps show neither habit nor fading
    gaps as (
        select *
        from {{ ref("int_retention__order_gaps") }}
        where order_gap_count >= {{ var("fading_min_gaps") }}
    ),

    trends as (select * from {{ ref("int_retention__trends") }}),

    measured as (
        select
            gaps.customer_key,
            gaps.is_lapsed,
            gaps.order_gap_cv < 1 as is_regular,
            trends.kendall_s as order_gap_trend_s,
            {{ normal_p_value("trends.kendall_z") }} as order_gap_trend_p_value,
            {{
                div(
                    days_between("customers.last_order_date", "as_of.as_of"),
                    "gaps.median_order_gap_days",
                )
            }} as silence_ratio
        from gaps
        inner join customers on gaps.customer_key = customers.customer_key
        inner join trends on gaps.customer_key = trends.customer_key
        cross join as_of
    ),

    final as (
        select
            *,
            case
                when is_lapsed
                then 'not fading'
                when silence_ratio > {{ var("fading_silence") }}
                then 'silent'
                when order_gap_trend_s > 0 and order_gap_trend_p_value < 0.05
                then 'longer gaps'
                else 'not fading'
            end as fading_sign
        from measured
    )

select *
from final
