{#
  What a customer spends elsewhere in a quarter, put cautiously: where the statement and the rank among the brands used
  differ, the larger share of wallet counts. Who answers for a year instead of a month would lead every list otherwise.
#}
with
    wallets as (select * from {{ ref("int_loyalty__latest_wallets") }}),

    gaps as (
        select
            customer_key,
            category,
            wallet_method,
            {{
                rounded(
                    div(
                        "own_amount",
                        "case when sow_war > share_of_wallet then sow_war else share_of_wallet end",
                    )
                    ~ " - own_amount",
                    4,
                )
            }}
            as wallet_gap_amount
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
