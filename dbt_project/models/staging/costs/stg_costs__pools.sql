with
    source as ({{ newest_rows("costs", ["_source", "cost_id"]) }}),

    final as (
        select
            -- keys
            record_key,

            -- ids
            cost_id,

            -- texts
            pool,
            level,
            driver,
            source as limited_to_source,
            channel as limited_to_channel,

            -- numbers
            amount as pool_amount,
            rate as driver_rate,

            -- dates and times
            month,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "costs")) }}
        from source
    )

select *
from final
