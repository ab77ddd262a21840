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
                wallets.wallet_amount - wallets.own_amount as decimal(18, 4)
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
            gaps.wallet_key,
            gaps.source,
            gaps.customer_key,
            gaps.category,
            gaps.period_grain,
            gaps.period_start_date,
            gaps.period_end_date,
            gaps.period_end_date > gaps.as_of as is_partial_period,
            gaps.currency_code,
            cast(gaps.own_amount as decimal(18, 4)) as own_amount,
            cast(gaps.stated_days as bigint) as stated_days,
            cast(
                gaps.own_amount_stated_days as decimal(18, 4)
            ) as own_amount_stated_days,
            cast(gaps.stated_amount as decimal(18, 4)) as stated_amount,
            cast(gaps.stated_wallet_amount as decimal(18, 4)) as stated_wallet_amount,
            gaps.sow_stated_raw,
            cast(gaps.sow_stated as decimal(18, 8)) as sow_stated,
            gaps.is_over_one,
            -- people round: a whole ten or twenty-five is a guess
            mod(gaps.stated_amount, 10) = 0
            or mod(gaps.stated_amount, 25) = 0 as is_heaped,
            {{ rounded("gaps.stated_share", 8) }} as stated_share,
            cast(gaps.brands_used_count as bigint) as brands_used_count,
            cast(gaps.our_rank as decimal(18, 4)) as our_rank,
            cast(gaps.sow_war as decimal(18, 8)) as sow_war,
            gaps.is_sole_buyer,
            gaps.peer_cell,
            cast(gaps.peer_count as bigint) as peer_count,
            gaps.peer_count < {{ var("min_peer_cell") }} as is_small_peer_cell,
            cast(gaps.peer_percentile as {{ type_double() }}) as peer_percentile,
            gaps.ceiling_amount as peer_ceiling_amount,
            gaps.own_amount >= gaps.ceiling_amount as is_at_ceiling,
            cast(gaps.imputed_wallet_amount as decimal(18, 4)) as imputed_wallet_amount,
            {{ rounded(div("gaps.own_amount", "gaps.imputed_wallet_amount"), 8) }}
            as sow_imputed,
            cast(gaps.fitted_wallet_amount as decimal(18, 4)) as fitted_wallet_amount,
            {{ rounded(div("gaps.own_amount", "gaps.fitted_wallet_amount"), 8) }}
            as sow_fitted,
            case
                when gaps.fitted_wallet_amount is not null
                then 'fitted'
                else 'not fitted'
            end as fit_status,
            gaps.wallet_method,
            gaps.wallet_confidence,
            {{ rounded("gaps.share_of_wallet", 8) }} as share_of_wallet,
            gaps.wallet_amount,
            gaps.wallet_gap_amount,
            gaps.satisfaction_class,
            gaps.wallet_gap_amount >= big_gaps.big_gap_amount
            and gaps.satisfaction_class = 'satisfied' as is_high_potential,
            case
                when gaps.wallet_method in ('quantile regression', 'peers')
                then
                    'spend of the best peers, not measured rival spend: another percentile gives another share'
                when gaps.is_over_one
                then 'less was stated than we sold: the share is capped at 1'
                when gaps.wallet_method = 'stated'
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
