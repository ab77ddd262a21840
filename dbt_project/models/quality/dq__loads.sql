with
    deliveries as (select * from {{ source("raw", "deliveries") }}),

    loads as (select * from {{ source("raw", "loads") }}),

    final as (
        select
            deliveries.seq as delivery_number,
            deliveries.feed,
            deliveries.feed_name,
            deliveries.source,
            deliveries.file,
            deliveries.received_at,
            deliveries.load_id,
            deliveries.outcome,
            deliveries.reason,
            deliveries.row_count,
            deliveries.quarantined_count,
            {{
                div(
                    "deliveries.quarantined_count",
                    "deliveries.row_count + deliveries.quarantined_count",
                )
            }} as quarantine_rate,
            loads.load_id is not null as is_in_use
        from deliveries
        left join loads using (load_id, feed_name)
    )

select *
from final
