with
    redemptions as (select * from {{ ref("stg_redemptions__redemptions") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            redemptions.record_key as redemption_key,
            redemptions.source,
            coalesce(
                merges.merged_customer_key, redemptions.customer_key
            ) as customer_key,
            redemptions.campaign_key,
            redemptions.campaign_id,
            redemptions.order_key,
            redemptions.order_id,
            redemptions.coupon_id,
            redemptions.redeemed_at,
            redemptions.redeemed_date,
            redemptions.redeemed_amount,
            lower(redemptions.funded_by) as funded_by
            {{ x_columns(ref("stg_redemptions__redemptions"), "redemptions") }}
        from redemptions
        left join merges on redemptions.customer_key = merges.customer_key
    )

select *
from final
