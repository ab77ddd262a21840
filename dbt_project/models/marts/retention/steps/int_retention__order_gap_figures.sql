{#
  Wheat & Morrison (1990): with shares M = g1 / (g1 + g2) of successive gaps, Var(M) = 1 / (4 (2k + 1)), so
  k = (1 - 4 Var) / (8 Var): 1 for purchases at random, more for regular ones. The variance is around 1/2.
#}
with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    gaps as (select * from {{ ref("fct_order_gaps") }} where is_closed),

    -- the closed gaps of a customer two by two (1st and 2nd, 3rd and 4th ...)
    successive as (
        select
            customer_key,
            order_day_number,
            order_gap_days,
            lead(order_gap_days) over (
                partition by customer_key order by order_day_number
            ) as next_order_gap_days
        from gaps
    ),

    pairs as (
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
        from successive
        where mod(order_day_number, 2) = 1 and next_order_gap_days is not null
    ),

    closed as (
        select
            segments.segment_by,
            segments.segment,
            cast(count(*) as bigint) as closed_order_gap_count,
            {{ count_where("gaps.order_day_number = 1") }} as repeat_customer_count,
            sum(gaps.order_gap_days) as gap_sum,
            sum(gaps.order_gap_days * gaps.order_gap_days) as square_sum,
            {{ percentile("gaps.order_gap_days", 0.5) }} as closed_p50_days,
            {{ percentile("gaps.order_gap_days", 0.9) }} as closed_p90_days
        from gaps
        inner join segments on gaps.customer_key = segments.customer_key
        group by segments.segment_by, segments.segment
    ),

    paired as (
        select
            segments.segment_by,
            segments.segment,
            count(*) as pair_count,
            {{ count_where("pairs.pair_number = 1") }} as pair_customer_count,
            sum(pairs.squared_deviation) as deviation_sum
        from pairs
        inner join segments on pairs.customer_key = segments.customer_key
        group by segments.segment_by, segments.segment
    ),

    final as (
        select
            {{ made_key(["closed.segment_by", "closed.segment"]) }} as figure_key,
            closed.segment_by,
            closed.segment,
            closed.closed_order_gap_count,
            closed.repeat_customer_count,
            {{ div("closed.gap_sum", "closed.closed_order_gap_count") }}
            as closed_mean_days,
            -- the sample's standard deviation, from whole numbers
            sqrt(
                {{
                    div(
                        "closed.closed_order_gap_count * closed.square_sum - closed.gap_sum * closed.gap_sum",
                        "closed.closed_order_gap_count * (closed.closed_order_gap_count - 1)",
                    )
                }}
            ) as closed_sd_days,
            closed.closed_p50_days,
            closed.closed_p90_days,
            cast(coalesce(paired.pair_count, 0) as bigint) as pair_count,
            cast(
                coalesce(paired.pair_customer_count, 0) as bigint
            ) as pair_customer_count,
            {{
                div(
                    "paired.pair_count - 4 * paired.deviation_sum",
                    "8 * paired.deviation_sum",
                )
            }} as regularity_k
        from closed
        left join paired using (segment_by, segment)
    )

select *
from final
