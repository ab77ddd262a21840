{# Kaplan & Meier's curve of waiting: who still waits counts as long as the wait has been. #}
{%- set cuts = ["kind", "severity", "category", "channel", "handled_by_kind"] -%}
with
    waits as (select * from {{ ref("int_satisfaction__ticket_waits") }}),

    tickets as (select * from {{ ref("fct_tickets") }}),

    customer_segments as (
        select * from {{ ref("dim_customer_segments") }} where segment_by <> 'all'
    ),

    segments as (
        select ticket_key, 'all' as segment_by, 'all' as segment
        from tickets
        {% for cut in cuts %}
            union all
            select
                ticket_key,
                '{{ cut }}' as segment_by,
                coalesce({{ cut }}, 'unknown') as segment
            from tickets
        {% endfor %}
        union all
        select
            tickets.ticket_key,
            attributes.segment_by,
            coalesce(customer_segments.segment, 'unknown') as segment
        from tickets
        cross join (select distinct segment_by from customer_segments) as attributes
        left join
            customer_segments
            on tickets.customer_key = customer_segments.customer_key
            and attributes.segment_by = customer_segments.segment_by
    ),

    times as (
        select
            segments.segment_by,
            segments.segment,
            waits.measure,
            waits.minutes,
            count(*) as leaving_count,
            {{ count_where("waits.is_over") }} as event_count
        from waits
        inner join segments on waits.ticket_key = segments.ticket_key
        group by segments.segment_by, segments.segment, waits.measure, waits.minutes
    ),

    counted as (
        select
            *,
            sum(leaving_count) over (
                partition by segment_by, segment, measure
                order by minutes desc
                rows between unbounded preceding and current row
            ) as at_risk_count
        from times
    ),

    stepped as (
        select
            *,
            -- the log of each step as a decimal, so that their sum is the same in any
            -- order
            cast(
                case
                    when event_count < at_risk_count
                    then ln(1 - {{ div("event_count", "at_risk_count") }})
                    else 0
                end as decimal(18, 12)
            ) as log_step
        from counted
    ),

    final as (
        select
            segment_by,
            segment,
            measure,
            cast(minutes as bigint) as minutes,
            cast(at_risk_count as bigint) as at_risk_count,
            event_count,
            cast(leaving_count - event_count as bigint) as censored_count,
            cast(sum(event_count) over up_to_now as bigint) as event_count_so_far,
            -- cut to ten digits, so that a half is a half
            cast(
                case
                    when event_count = at_risk_count
                    then 0
                    else cast(exp(sum(log_step) over up_to_now) as decimal(18, 10))
                end as {{ type_double() }}
            ) as survival_rate
        from stepped
        window
            up_to_now as (
                partition by segment_by, segment, measure
                order by minutes
                rows between unbounded preceding and current row
            )
    )

select *
from final
