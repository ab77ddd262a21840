with
    source as ({{ newest_rows("targets", ["_source", "metric", "segment"]) }}),

    final as (
        select
            -- keys
            record_key,

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
