with
    source as (
        {{
            newest_rows(
                "events",
                ["_source", "customer_id", adapter.quote("at"), "kind", "order_id"],
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "customer_id"]) }} as customer_key,
            {{ made_key_or_null(["_source", "order_id"]) }} as order_key,

            -- ids
            customer_id,
            order_id,

            -- texts
            kind,

            -- numbers
            {{ adapter.quote("count") }} as event_count,

            -- dates and times
            {{ adapter.quote("at") }} as occurred_at,
            at_date as occurred_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "events")) }}
        from source
    )

select *
from final
