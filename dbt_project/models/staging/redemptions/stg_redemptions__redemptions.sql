with
    source as (
        {{
            newest_rows(
                "redemptions",
                ["_source", "campaign_id", "customer_id", "redeemed_at", "coupon_id"],
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "campaign_id"]) }} as campaign_key,
            {{ made_key(["_source", "customer_id"]) }} as customer_key,
            {{ made_key_or_null(["_source", "order_id"]) }} as order_key,

            -- ids
            campaign_id,
            customer_id,
            order_id,
            coupon_id,

            -- texts
            funded_by,

            -- numbers
            amount as redeemed_amount,

            -- dates and times
            redeemed_at,
            redeemed_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "redemptions")) }}
        from source
    )

select *
from final
