with
    source as ({{ newest_rows("refunds", ["_source", "refund_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as refund_key,
            {{ made_key_or_null(["_source", "order_id"]) }} as order_key,
            {{ made_key_or_null(["_source", "customer_id"]) }} as customer_key,

            -- ids
            refund_id,
            order_id,
            customer_id,
            line_number,

            -- texts
            reason,
            currency_code,

            -- numbers
            quantity,
            amount as refund_amount,
            tax_amount,

            -- booleans
            is_restocked,

            -- dates and times
            refunded_at,
            refunded_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "refunds")) }}
        from source
    )

select *
from final
