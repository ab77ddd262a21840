{%- set sla_minutes = 60 * var("sla_hours") -%}
with
    curve as (select * from {{ ref("int_satisfaction__ticket_survival") }}),

    summed as (
        select
            segment_by,
            segment,
            measure,
            cast(sum(event_count + censored_count) as bigint) as ticket_count,
            cast(sum(event_count) as bigint) as over_count,
            cast(sum(censored_count) as bigint) as open_count,
            -- a hair above, because a product of steps is not exactly a half
            min(
                case when survival_rate <= 0.500000001 then minutes end
            ) as median_minutes,
            min(case when survival_rate <= 0.100000001 then minutes end) as p90_minutes,
            cast(
                coalesce(
                    sum(case when minutes <= {{ sla_minutes }} then event_count end), 0
                ) as bigint
            ) as in_time_count,
            -- whose time has not run out yet is neither in time nor late
            cast(
                coalesce(
                    sum(case when minutes < {{ sla_minutes }} then censored_count end),
                    0
                ) as bigint
            ) as undecided_count
        from curve
        group by segment_by, segment, measure
    ),

    -- what is usually shown: the times of what is over, as if nothing were open
    closed as (
        select
            curve.segment_by,
            curve.segment,
            curve.measure,
            min(
                case
                    when 2 * curve.event_count_so_far >= summed.over_count
                    then curve.minutes
                end
            ) as median_minutes,
            min(
                case
                    when 10 * curve.event_count_so_far >= 9 * summed.over_count
                    then curve.minutes
                end
            ) as p90_minutes
        from curve
        inner join summed using (segment_by, segment, measure)
        where summed.over_count > 0
        group by curve.segment_by, curve.segment, curve.measure
    ),

    final as (
        select
            summed.segment_by,
            summed.segment,
            summed.measure,
            summed.ticket_count,
            summed.over_count,
            summed.open_count,
            summed.ticket_count < {{ var("min_base") }} as is_suppressed,
            {% for name in ["median", "p90"] %}
                {{
                    suppress_small(
                        div("summed." ~ name ~ "_minutes", "60"),
                        "summed.ticket_count",
                    )
                }} as {{ name }}_hours,
                {{
                    suppress_small(
                        div("closed." ~ name ~ "_minutes", "60"), "summed.over_count"
                    )
                }} as textbook_{{ name }}_hours,
            {% endfor %}
            summed.ticket_count - summed.undecided_count as decided_count,
            summed.in_time_count,
            {{
                suppress_small_rate(
                    "in_time",
                    "summed.in_time_count",
                    "(summed.ticket_count - summed.undecided_count)",
                )
            }}
        from summed
        left join closed using (segment_by, segment, measure)
    )

select *
from final
