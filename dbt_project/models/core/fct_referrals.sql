with
    referrals as (select * from {{ ref("stg_referrals__referrals") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            referrals.record_key as referral_key,
            referrals.source,
            coalesce(
                referrer.merged_customer_key, referrals.referrer_customer_key
            ) as referrer_customer_key,
            coalesce(
                referred.merged_customer_key, referrals.referred_customer_key
            ) as referred_customer_key,
            referrals.invited_at,
            referrals.invited_date,
            referrals.accepted_at,
            referrals.accepted_date,
            referrals.reward_amount
            {{ x_columns(ref("stg_referrals__referrals"), "referrals") }}
        from referrals
        left join
            merges as referrer
            on referrals.referrer_customer_key = referrer.customer_key
        left join
            merges as referred
            on referrals.referred_customer_key = referred.customer_key
    )

select *
from final
