with
    source as ({{ newest_rows("market_events", ["_source", "event_id"]) }}),

    final as (
        select
            -- keys
            record_key,

            -- ids
            event_id,
            store_id,

            -- texts
            kind,
            category,

            -- numbers
            depth,

            -- dates and times
            started_at,
            started_date,
            ended_at,
            ended_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "market_events")) }}
        from source
    )

select *
from final
