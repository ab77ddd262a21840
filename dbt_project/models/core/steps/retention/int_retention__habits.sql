{#
  Whether a customer orders by habit, and whether the relationship fades: silence, or gaps that grow by the
  Mann-Kendall trend of the newest ones: S = later gaps that are longer less those that are shorter, over all pairs;
  its variance with ties is whole-numbered: 18 Var = n(n-1)(2n+5) - sum t(t-1)(2t+5).
#}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    -- fewer gaps show neither habit nor fading
    gaps as (
        select *
        from {{ ref("int_retention__order_gaps") }}
        where order_gap_count >= {{ var("fading_min_gaps") }}
    ),

    closed as (
        select
            customer_key,
            order_gap_days,
            row_number() over (
                partition by customer_key order by order_date desc
            ) as place
        from {{ ref("fct_order_gaps") }}
        where is_closed
    ),

    newest as (select * from closed where place <= {{ var("trend_gaps") }}),

    pairs as (
        select
            later.customer_key,
            sum(
                {{
                    sign_of_difference(
                        "later.order_gap_days", "earlier.order_gap_days"
                    )
                }}
            ) as kendall_s
        from newest as later
        inner join
            newest as earlier
            on later.customer_key = earlier.customer_key
            and later.place < earlier.place
        group by later.customer_key
    ),

    tied as (
        select customer_key, order_gap_days, count(*) as t
        from newest
        group by customer_key, order_gap_days
    ),

    sized as (
        select
            customer_key,
            sum(t) as n,
            sum(t) * (sum(t) - 1) * (2 * sum(t) + 5)
            - sum(t * (t - 1) * (2 * t + 5)) as variance_18
        from tied
        group by customer_key
    ),

    trends as (
        select
            sized.customer_key,
            cast(pairs.kendall_s as bigint) as kendall_s,
            -- the continuity correction moves S one step towards 0
            case
                when sized.variance_18 > 0
                then
                    case
                        when pairs.kendall_s > 0
                        then pairs.kendall_s - 1
                        when pairs.kendall_s < 0
                        then pairs.kendall_s + 1
                        else 0
                    end
                    / sqrt({{ div("sized.variance_18", "18") }})
            end as kendall_z
        from sized
        inner join pairs on sized.customer_key = pairs.customer_key
    ),

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
