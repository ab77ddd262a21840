with
    source as (
        {{ newest_rows("order_lines", ["_source", "order_id", "line_number"]) }}
    ),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "order_id"]) }} as order_key,
            {{ made_key(["_source", "product_id"]) }} as product_key,

            -- ids
            order_id,
            line_number,
            product_id,
            seller_id,

            -- numbers
            quantity,
            fulfilled_quantity,
            list_price,
            unit_price,
            discount_amount,
            net_amount,
            cost_amount,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "order_lines")) }}
        from source
    )

select *
from final
