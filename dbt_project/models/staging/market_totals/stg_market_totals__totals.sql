with
    source as (
        {{ newest_rows("market_totals", ["_source", "category", "region", "month"]) }}
    ),

    final as (
        select
            -- keys
            record_key,

            -- texts
            category,
            region,

            -- numbers
            amount,
            households,

            -- dates and times
            month,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "market_totals")) }}
        from source
    )

select *
from final
