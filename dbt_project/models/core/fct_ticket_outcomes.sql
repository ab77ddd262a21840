{# A state is read at the landmark and the outcome after it, so that waiting time is not counted as staying. #}
with
    -- a source without a single kind, answer or solution does not export them
    tickets as (
        select
            *,
            count(first_response_minutes) over (partition by source)
            > 0 as has_responses,
            count(kind) over (partition by source) > 0 as has_kinds,
            count(resolved_at) over (partition by source) > 0 as has_resolutions
        from {{ ref("fct_tickets") }}
    ),

    windows as (select * from {{ ref("int_satisfaction__ticket_windows") }}),

    terciles as (
        select
            ticket_key,
            -- rounded, so that a share that is just a third stays in its tercile
            round(
                cast(
                    cume_dist() over (order by prior_order_day_count) as decimal(18, 9)
                ),
                9
            ) as prior_share
        from windows
        where prior_order_day_count is not null
    ),

    failures as (
        select
            tickets.ticket_key,
            row_number() over (
                partition by windows.customer_key
                order by tickets.opened_at, md5(tickets.ticket_key)
            ) as failure_number
        from tickets
        inner join windows on tickets.ticket_key = windows.ticket_key
        where tickets.kind = 'complaint' and windows.customer_key is not null
    ),

    final as (
        select
            tickets.ticket_key,
            tickets.source,
            windows.customer_key,
            case
                when tickets.has_kinds then coalesce(tickets.kind = 'complaint', false)
            end as is_complaint,
            coalesce(tickets.severity, 'unknown') as severity,
            tickets.opened_date,
            windows.resolved_date,
            windows.landmark_date,
            windows.outcome_end_date,
            windows.landmark_date <= windows.as_of as is_landmark_reached,
            failures.failure_number,
            failures.failure_number = 1 as is_first_failure,
            windows.prior_order_day_count,
            case
                when terciles.prior_share <= 0.333333333
                then '1 low'
                when terciles.prior_share <= 0.666666667
                then '2 middle'
                when terciles.prior_share is not null
                then '3 high'
            end as prior_frequency,
            case
                when
                    windows.resolved_date <= windows.landmark_date
                    and tickets.resolution_minutes <= 60 * {{ var("sla_hours") }}
                then 'fast'
                when windows.resolved_date <= windows.landmark_date
                then 'slow'
                -- said to be solved, but not when
                when
                    tickets.status = 'resolved'
                    and (
                        tickets.resolved_at is null or tickets.is_resolved_before_opened
                    )
                then null
                when tickets.has_resolutions and windows.landmark_date <= windows.as_of
                then 'none'
            end as speed,
            case
                when not tickets.has_responses
                then null
                when
                    tickets.first_response_minutes <= 1440 * {{ var("landmark_days") }}
                    or windows.resolved_date <= windows.landmark_date
                then true
                when windows.landmark_date <= windows.as_of
                then false
            end as is_answered,
            -- a promise ends with its local day; one that is not kept then is broken
            case
                when
                    tickets.has_resolutions
                    and tickets.promised_date <= windows.as_of
                    and not tickets.is_resolved_before_opened
                then coalesce(windows.resolved_date <= tickets.promised_date, false)
            end as is_promise_kept,
            windows.customer_key is not null
            and windows.outcome_end_date <= windows.as_of as is_outcome_observed,
            case
                when
                    windows.customer_key is not null
                    and windows.outcome_end_date <= windows.as_of
                then
                    {{
                        when_delivered(
                            "customer_orders", "windows.has_order_after_landmark"
                        )
                    }}
            end as has_bought_again,
            case
                when
                    windows.customer_key is not null
                    and windows.textbook_end_date <= windows.as_of
                then
                    {{
                        when_delivered(
                            "customer_orders", "windows.has_order_after_resolution"
                        )
                    }}
            end as has_bought_after_resolution
        from tickets
        inner join windows on tickets.ticket_key = windows.ticket_key
        left join terciles on tickets.ticket_key = terciles.ticket_key
        left join failures on tickets.ticket_key = failures.ticket_key
    )

select *
from final
