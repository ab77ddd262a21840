with
    as_of as (select * from {{ ref("dim_as_of") }}),

    -- what peers spend says nothing of rivals: only what the customer told counts
    told as (
        select wallets.*
        from {{ ref("fct_customer_wallets") }} as wallets
        cross join as_of
        where
            wallets.period_grain = 'quarter'
            and wallets.wallet_method in ('stated', 'allocation rule')
            and wallets.period_start_date
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and wallets.period_start_date <= as_of.as_of
    ),

    placed as (
        select
            *,
            row_number() over (
                partition by customer_key
                order by period_start_date desc, own_amount desc, md5(wallet_key)
            ) as recency,
            -- a change of method is no change of share
            lag(share_of_wallet) over (
                partition by customer_key, category, wallet_method
                order by period_start_date, md5(wallet_key)
            ) as share_before
        from told
    ),

    final as (
        select
            customer_key,
            wallet_key,
            category,
            period_start_date,
            wallet_method,
            share_of_wallet,
            share_before,
            is_sole_buyer
        from placed
        where recency = 1
    )

select *
from final
