with
    tickets as (select * from {{ ref("stg_tickets__tickets") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            tickets.ticket_key,
            tickets.source,
            tickets.ticket_id,
            coalesce(merges.merged_customer_key, tickets.customer_key) as customer_key,
            tickets.order_key,
            tickets.opened_at,
            tickets.opened_date,
            tickets.first_response_at,
            tickets.resolved_at,
            tickets.resolved_date,
            tickets.promised_at,
            tickets.promised_date,
            tickets.status,
            tickets.kind,
            tickets.category,
            tickets.severity,
            tickets.channel,
            tickets.handled_by,
            tickets.handled_by_kind,
            tickets.resolution,
            -- empty means never opened again only where the source counts it for a
            -- ticket
            case
                when
                    count(tickets.reopened_count) over (partition by tickets.source) > 0
                then coalesce(tickets.reopened_count, 0)
            end as reopened_count,
            tickets.compensation_amount,
            tickets.satisfaction_score,
            -- times in the wrong order give no duration
            coalesce(
                tickets.resolved_at < tickets.opened_at, false
            ) as is_resolved_before_opened,
            case
                when tickets.resolved_at >= tickets.opened_at
                then
                    {{
                        time_between(
                            "tickets.opened_at", "tickets.resolved_at", "minute"
                        )
                    }}
            end as resolution_minutes,
            case
                when tickets.first_response_at >= tickets.opened_at
                then
                    {{
                        time_between(
                            "tickets.opened_at", "tickets.first_response_at", "minute"
                        )
                    }}
            end as first_response_minutes
        from tickets
        left join merges on tickets.customer_key = merges.customer_key
    )

select *
from final
