with
    source as ({{ newest_rows("orders", ["_source", "order_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as order_key,
            {{ made_key_or_null(["_source", "customer_id"]) }} as customer_key,
            {{ made_key_or_null(["_source", "campaign_id"]) }} as campaign_key,

            -- ids
            order_id,
            customer_id,
            store_id,
            dealer_id,
            campaign_id,

            -- texts
            status,
            kind,
            currency_code,
            channel,
            carrier,
            payment_method,

            -- numbers
            gross_amount,
            discount_amount,
            shipping_amount,
            tax_amount,
            total_amount,
            shipping_cost_amount,
            payment_fee_amount,

            -- dates and times
            ordered_at,
            ordered_date,
            promised_at,
            promised_date,
            delivered_at,
            delivered_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "orders")) }}
        from source
    )

select *
from final
