{%- set period_months = "case wallets.period_grain when 'year' then 12 else 3 end" -%}
with
    wallets as (select * from {{ ref("fct_customer_wallets") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    gaps as (
        select
            wallets.*,
            scores.satisfaction_class,
            customers.currency_code,
            {{ add_days(add_months("wallets.period_start_date", period_months), -1) }}
            as period_end_date,
            as_of.as_of,
            cast(
                wallets.wallet_amount - wallets.own_amount as {{ type_amount() }}
            ) as wallet_gap_amount
        from wallets
        inner join customers on wallets.customer_key = customers.customer_key
        left join scores on wallets.customer_key = scores.customer_key
        cross join as_of
    ),

    big_gaps as (
        select
            source,
            category,
            period_grain,
            period_start_date,
            currency_code,
            {{ percentile("wallet_gap_amount", var("high_potential_percentile")) }}
            as big_gap_amount
        from gaps
        where wallet_gap_amount is not null
        group by source, category, period_grain, period_start_date, currency_code
    ),

    final as (
        select
            wallet_key,
            source,
            customer_key,
            category,
            period_grain,
            period_start_date,
            period_end_date,
            period_end_date > as_of as is_partial_period,
            currency_code,
            cast(own_amount as {{ type_amount() }}) as own_amount,
            cast(stated_days as bigint) as stated_days,
            cast(
                own_amount_stated_days as {{ type_amount() }}
            ) as own_amount_stated_days,
            cast(stated_amount as {{ type_amount() }}) as stated_amount,
            cast(stated_wallet_amount as {{ type_amount() }}) as stated_wallet_amount,
            sow_stated_raw,
            cast(sow_stated as decimal(18, 8)) as sow_stated,
            is_over_one,
            -- people round: a whole ten or twenty-five is a guess
            mod(stated_amount, 10) = 0 or mod(stated_amount, 25) = 0 as is_round_number,
            {{ rounded("stated_share", 8) }} as stated_share,
            cast(brands_used_count as bigint) as brands_used_count,
            cast(our_rank as decimal(18, 4)) as our_rank,
            cast(sow_war as decimal(18, 8)) as sow_war,
            is_sole_buyer,
            has_contradiction,
            peer_cell,
            cast(peer_count as bigint) as peer_count,
            peer_count < {{ var("min_peer_cell") }} as is_small_peer_cell,
            cast(peer_percentile as {{ type_double() }}) as peer_percentile,
            ceiling_amount as peer_ceiling_amount,
            own_amount >= ceiling_amount as is_at_ceiling,
            cast(imputed_wallet_amount as {{ type_amount() }}) as imputed_wallet_amount,
            {{ rounded(div("own_amount", "imputed_wallet_amount"), 8) }} as sow_imputed,
            cast(fitted_wallet_amount as {{ type_amount() }}) as fitted_wallet_amount,
            {{ rounded(div("own_amount", "fitted_wallet_amount"), 8) }} as sow_fitted,
            case
                when fitted_wallet_amount is not null then 'fitted' else 'not fitted'
            end as fit_status,
            wallet_method,
            wallet_confidence,
            {{ rounded("share_of_wallet", 8) }} as share_of_wallet,
            wallet_amount,
            wallet_gap_amount,
            satisfaction_class,
            wallet_gap_amount >= big_gap_amount
            and satisfaction_class = 'satisfied' as is_high_potential,
            case
                when has_contradiction
                then
                    'the customer says to use no other supplier and to have spent elsewhere: one of both is wrong'
                when
                    wallet_method in ('quantile regression', 'peers')
                    and peer_cell = 'all customers'
                then
                    'spend of the best customers, because no customer has the attribute that makes peers ({{ var("wallet_peer_column") }})'
                when wallet_method in ('quantile regression', 'peers')
                then
                    'spend of the best peers, not measured rival spend: another percentile gives another share'
                when is_over_one
                then 'less was stated than we sold: the statement is not used'
                when wallet_method = 'stated'
                then
                    'as people say: they round and overstate, so the share tends to be too low'
            end as warning
        from gaps
        left join
            big_gaps using (
                source, category, period_grain, period_start_date, currency_code
            )
    )

select *
from final
