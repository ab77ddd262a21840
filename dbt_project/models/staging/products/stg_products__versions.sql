with
    source as ({{ newest_rows("products", ["_source", "product_id", "valid_from"]) }}),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "product_id"]) }} as product_key,

            -- ids
            product_id,
            supplier_id,

            -- texts
            name as product_name,
            category,
            brand,
            product_type,

            -- numbers
            unit_cost,

            -- dates and times
            launched_at,
            launched_date,
            valid_from,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "products")) }}
        from source
    )

select *
from final
