{# Each customer's gaps between order days, from exact sums of whole days; the open gap stays out. #}
with
    gaps as (select * from {{ ref("fct_order_gaps") }}),

    summed as (
        select
            customer_key,
            sum(case when is_closed then 1 else 0 end) as order_gap_count,
            sum(case when is_closed then order_gap_days end) as gap_sum,
            sum(
                case when is_closed then order_gap_days * order_gap_days end
            ) as square_sum,
            {{ percentile("case when is_closed then order_gap_days end", 0.5) }}
            as median_order_gap_days,
            count(lapse_date) as lapse_count,
            count(
                case when lapse_date is not null and is_closed then 1 end
            ) as reactivation_count,
            min(lapse_date) as first_lapse_date,
            max(
                case when lapse_date is not null then next_order_date end
            ) as reactivated_date,
            max(case when not is_closed then lapse_date end) is not null as is_lapsed
        from gaps
        group by customer_key
    ),

    final as (
        select
            customer_key,
            cast(order_gap_count as bigint) as order_gap_count,
            cast(gap_sum as bigint) as gap_sum,
            median_order_gap_days,
            {{ div("gap_sum", "order_gap_count") }} as mean_order_gap_days,
            -- the sample's standard deviation over the mean, from whole numbers
            case
                when order_gap_count > 1
                then
                    sqrt(
                        {{
                            div(
                                "order_gap_count * square_sum - gap_sum * gap_sum",
                                "order_gap_count * (order_gap_count - 1)",
                            )
                        }}
                    )
                    / {{ div("gap_sum", "order_gap_count") }}
            end as order_gap_cv,
            cast(lapse_count as bigint) as lapse_count,
            cast(reactivation_count as bigint) as reactivation_count,
            first_lapse_date,
            reactivated_date,
            is_lapsed
        from summed
    )

select *
from final
