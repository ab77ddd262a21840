with
    source as (select * from {{ source("raw", "targets") }}),

    final as (
        select
            -- keys
            {{ made_key(["_source", "metric", "segment"]) }} as record_key,

            -- texts
            metric,
            segment,

            -- numbers
            target,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "targets")) }}
        from source
    )

select *
from final
