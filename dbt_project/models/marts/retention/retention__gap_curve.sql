with
    points as (select * from {{ ref("fct_survival_curves") }} where curve = 'gap'),

    means as (select * from {{ ref("fct_survival_means") }} where curve = 'gap'),

    figures as (select * from {{ ref("fct_gap_figures") }}),

    counted as (
        select
            points.*,
            means.base_count,
            means.event_count as closed_gap_count,
            means.median_days,
            means.p90_days,
            means.base_count < {{ var("min_base") }} as is_suppressed,
            sum(points.event_count) over (
                partition by points.segment_by, points.segment
                order by points.duration_days
            ) as closed_so_far_count
        from points
        inner join
            means
            on points.segment_by = means.segment_by
            and points.segment = means.segment
    ),

    final as (
        select
            counted.segment_by,
            counted.segment,
            counted.duration_days as gap_days,
            counted.base_count as gap_count,
            counted.closed_gap_count,
            counted.at_risk_count,
            counted.event_count as closed_count,
            counted.censored_count as open_count,
            counted.is_suppressed,
            {%- for name, value in [
                (
                    "closed_share_rate",
                    div(
                        "counted.closed_so_far_count",
                        "counted.closed_gap_count",
                    ),
                ),
                ("returned_rate", "1 - counted.survival_rate"),
                ("returned_low", "1 - counted.survival_high"),
                ("returned_high", "1 - counted.survival_low"),
                ("closed_p50_days", "figures.closed_p50_days"),
                ("closed_p90_days", "figures.closed_p90_days"),
                ("p50_days", "counted.median_days"),
                ("p90_days", "counted.p90_days"),
                ("regularity_k", "figures.regularity_k"),
            ] %}
                case
                    when not counted.is_suppressed
                    then cast({{ value }} as {{ type_double() }})
                end as {{ name }},
            {%- endfor %}
            cast(coalesce(figures.pair_count, 0) as bigint) as pair_count
        from counted
        left join
            figures
            on counted.segment_by = figures.segment_by
            and counted.segment = figures.segment
    )

select *
from final
