{# Each customer's closed gaps two by two (1st and 2nd, 3rd and 4th ...): how evenly they share their sum. #}
with
    gaps as (
        select
            customer_key,
            order_day_number,
            order_gap_days,
            lead(order_gap_days) over (
                partition by customer_key order by order_day_number
            ) as next_order_gap_days
        from {{ ref("fct_order_gaps") }}
        where is_closed
    ),

    final as (
        select
            customer_key,
            order_day_number as pair_number,
            -- a gap's share of the pair, less a half, squared
            cast(
                {{
                    div(
                        "(order_gap_days - next_order_gap_days) * (order_gap_days - next_order_gap_days)",
                        "4 * (order_gap_days + next_order_gap_days) * (order_gap_days + next_order_gap_days)",
                    )
                }}
                as decimal(28, 18)
            ) as squared_deviation
        from gaps
        where mod(order_day_number, 2) = 1 and next_order_gap_days is not null
    )

select *
from final
