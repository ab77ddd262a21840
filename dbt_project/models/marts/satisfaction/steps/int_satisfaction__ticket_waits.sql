{# How long a ticket waited for an answer and for its solution; one still open has waited until the end of as_of. #}
with
    tickets as (
        select *
        from {{ ref("fct_tickets") }}
        -- praise needs no answer; times in the wrong order give no waiting time
        where coalesce(kind, 'unknown') != 'praise' and not is_resolved_before_opened
    ),

    as_of as (select * from {{ ref("dim_as_of") }}),

    timed as (
        select
            tickets.*,
            {{
                time_between(
                    "tickets.opened_at",
                    "cast(" ~ add_days("as_of.as_of", 1) ~ " as timestamp)",
                    "minute",
                )
            }} as open_minutes,
            least(
                coalesce(tickets.first_response_minutes, tickets.resolution_minutes),
                coalesce(tickets.resolution_minutes, tickets.first_response_minutes)
            ) as answer_minutes
        from tickets
        cross join as_of
        where tickets.opened_date <= as_of.as_of
    ),

    waits as (
        select
            ticket_key,
            'first_response' as measure,
            answer_minutes as minutes,
            open_minutes
        from timed
        union all
        select
            ticket_key,
            'resolution' as measure,
            resolution_minutes as minutes,
            open_minutes
        from timed
        -- said to be solved, but not when: neither a time nor still open
        where resolution_minutes is not null or coalesce(status, 'open') != 'resolved'
    ),

    final as (
        select
            waits.ticket_key,
            waits.measure,
            coalesce(waits.minutes <= waits.open_minutes, false) as is_over,
            case
                when waits.minutes <= waits.open_minutes
                then waits.minutes
                else greatest(waits.open_minutes, 0)
            end as minutes
        from waits
    )

select *
from final
