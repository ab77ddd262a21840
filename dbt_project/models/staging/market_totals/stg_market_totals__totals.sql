with
    source as (select * from {{ source("raw", "market_totals") }}),

    final as (
        select
            -- keys
            {{ made_key(["_source", "category", "region", "month"]) }} as record_key,

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
