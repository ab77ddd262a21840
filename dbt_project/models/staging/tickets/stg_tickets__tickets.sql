with
    source as ({{ newest_rows("tickets", ["_source", "ticket_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as ticket_key,
            {{ made_key_or_null(["_source", "customer_id"]) }} as customer_key,
            {{ made_key_or_null(["_source", "order_id"]) }} as order_key,

            -- ids
            ticket_id,
            customer_id,
            order_id,

            -- texts
            status,
            kind,
            category,
            severity,
            channel,
            handled_by,
            handled_by_kind,
            resolution,

            -- numbers
            reopened_count,
            compensation_amount,
            satisfaction_score,

            -- booleans
            has_text,

            -- dates and times
            opened_at,
            opened_date,
            first_response_at,
            first_response_date,
            resolved_at,
            resolved_date,
            promised_at,
            promised_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "tickets")) }}
        from source
    )

select *
from final
