{{ config(tags=["scored"], materialized="table") }}

with
    wallets as (select * from {{ ref("int_wallet__latest") }}),

    gaps as (
        select
            customer_key,
            category,
            wallet_method,
            cast(
                {{ div("own_amount", "share_of_wallet") }}
                - own_amount as {{ type_amount() }}
            ) as wallet_gap_amount
        from wallets
    ),

    big_gaps as (
        select
            category,
            {{ percentile("wallet_gap_amount", var("high_potential_percentile")) }}
            as big_gap_amount
        from gaps
        where wallet_gap_amount is not null
        group by category
    ),

    final as (
        select
            gaps.*,
            gaps.wallet_gap_amount > 0
            and gaps.wallet_gap_amount >= big_gaps.big_gap_amount as is_big_gap
        from gaps
        left join big_gaps on gaps.category = big_gaps.category
    )

select *
from final
