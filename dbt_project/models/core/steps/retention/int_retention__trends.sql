{#
  Mann-Kendall trend of each customer's newest gaps: S = later gaps that are longer less those that are
  shorter, over all pairs; its variance with ties is whole-numbered: 18 Var = n(n-1)(2n+5) - sum t(t-1)(2t+5).
#}
with
    gaps as (
        select
            customer_key,
            order_gap_days,
            row_number() over (
                partition by customer_key order by order_date desc
            ) as place
        from {{ ref("fct_order_gaps") }}
        where is_closed
    ),

    newest as (select * from gaps where place <= {{ var("trend_gaps") }}),

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

    final as (
        select
            sized.customer_key,
            cast(sized.n as bigint) as trend_gap_count,
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
    )

select *
from final
