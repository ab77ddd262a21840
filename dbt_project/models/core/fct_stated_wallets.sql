{%- set period = "source, customer_key, category, period_grain, period_start_date" -%}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    -- what peers spend does not show rivals: only the customer's own statement counts
    statements as (
        select *
        from {{ ref("int_wallet__period_statements") }}
        where period_grain = 'quarter' and statement_method is not null
    ),

    spends as (select * from {{ ref("fct_wallet_spend") }}),

    stated as (
        select
            {{ made_key(period.split(", ")) }} as wallet_key,
            statements.customer_key,
            statements.category,
            statements.period_start_date,
            statements.statement_method as wallet_method,
            statements.statement_share as share_of_wallet,
            statements.is_sole_buyer,
            coalesce(spends.own_amount, 0) as own_amount
        from statements
        cross join as_of
        left join spends using ({{ period }})
        where
            statements.period_start_date
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and statements.period_start_date <= as_of.as_of
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
        from stated
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
