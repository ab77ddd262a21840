with
    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select distinct referrals.referrer_customer_key as customer_key
        from {{ ref("fct_referrals") }} as referrals
        cross join as_of
        where
            coalesce(referrals.invited_date, referrals.accepted_date)
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and coalesce(referrals.invited_date, referrals.accepted_date) <= as_of.as_of
    )

select *
from final
