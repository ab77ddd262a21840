{#
  A rate rests on customers, not on gaps: those of one customer are alike, and a hundred of them are one customer's habit.
#}
{%- set all = "counted.customer_count" -%}
with
    points as (
        select * from {{ ref("int_retention__survival_curves") }} where curve = 'gap'
    ),

    means as (
        select * from {{ ref("int_retention__survival_means") }} where curve = 'gap'
    ),

    figures as (select * from {{ ref("int_retention__order_gap_figures") }}),

    counted as (
        select
            points.*,
            means.base_count,
            means.event_count as closed_order_gap_count,
            -- every customer has one open gap, the last
            means.base_count - means.event_count as customer_count,
            means.median_days,
            means.p90_days,
            sum(points.event_count) over (
                partition by points.segment_by, points.segment
                order by points.duration_days
            ) as closed_so_far_count
        from points
        inner join means using (segment_by, segment)
    ),

    final as (
        select
            counted.segment_by,
            counted.segment,
            counted.duration_days as order_gap_days,
            counted.customer_count,
            cast(
                coalesce(figures.repeat_customer_count, 0) as bigint
            ) as repeat_customer_count,
            counted.base_count as order_gap_count,
            counted.closed_order_gap_count,
            counted.at_risk_count,
            counted.event_count as closed_count,
            counted.censored_count as open_count,
            counted.customer_count < {{ var("min_base") }} as is_suppressed,
            {%- for name, value, base in [
                (
                    "closed_share_rate",
                    div(
                        "counted.closed_so_far_count",
                        "counted.closed_order_gap_count",
                    ),
                    "figures.repeat_customer_count",
                ),
                ("returned_rate", "1 - counted.survival_rate", all),
                ("returned_low", "1 - counted.survival_high", all),
                ("returned_high", "1 - counted.survival_low", all),
                (
                    "closed_mean_days",
                    "figures.closed_mean_days",
                    "figures.repeat_customer_count",
                ),
                (
                    "closed_sd_days",
                    "figures.closed_sd_days",
                    "figures.repeat_customer_count",
                ),
                (
                    "closed_p50_days",
                    "figures.closed_p50_days",
                    "figures.repeat_customer_count",
                ),
                (
                    "closed_p90_days",
                    "figures.closed_p90_days",
                    "figures.repeat_customer_count",
                ),
                ("p50_days", "counted.median_days", all),
                ("p90_days", "counted.p90_days", all),
                (
                    "regularity_k",
                    "figures.regularity_k",
                    "figures.pair_customer_count",
                ),
            ] %}
                cast(
                    {{ suppress_small(value, base) }} as {{ type_double() }}
                ) as {{ name }},
            {%- endfor %}
            cast(
                coalesce(figures.pair_customer_count, 0) as bigint
            ) as pair_customer_count,
            cast(coalesce(figures.pair_count, 0) as bigint) as pair_count
        from counted
        left join figures using (segment_by, segment)
    )

select *
from final
