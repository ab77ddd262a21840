{{ config(tags=["scored"]) }}
{%- set period = "source, customer_key, category, period_grain, period_start_date" -%}
with
    spends as (select * from {{ ref("int_wallet__period_spend") }}),

    statements as (select * from {{ ref("int_wallet__period_statements") }}),

    cells as (select * from {{ ref("int_wallet__peer_cells") }}),

    ceilings as (select * from {{ ref("int_wallet__peer_ceilings") }}),

    fitted as (select * from {{ ref("fct_wallet_ceilings") }}),

    periods as (
        select {{ period }}
        from spends
        union
        select {{ period }}
        from statements
    ),

    known as (
        select
            periods.*,
            coalesce(spends.own_amount, 0) as own_amount,
            statements.response_key,
            statements.period_days as stated_days,
            statements.stated_amount,
            statements.own_amount_stated_days,
            statements.stated_share,
            cast(
                {{
                    div(
                        "statements.own_amount_stated_days",
                        "statements.stated_amount",
                    )
                }} as decimal(18, 8)
            ) as sow_stated_raw,
            statements.brands_used_count,
            statements.our_rank,
            statements.sow_war,
            statements.is_sole_buyer,
            cells.peer_cell,
            cells.peer_count,
            cells.peer_percentile,
            cast(ceilings.ceiling_amount as decimal(18, 4)) as ceiling_amount,
            fitted.fitted_ceiling_amount
        from periods
        left join spends using ({{ period }})
        left join statements using ({{ period }})
        left join cells using ({{ period }})
        left join
            ceilings using (
                source, category, period_grain, period_start_date, peer_cell
            )
        left join
            fitted using (
                source,
                category,
                period_grain,
                period_start_date,
                peer_level,
                age_band,
                tenure_band
            )
    ),

    shared as (
        select
            *,
            -- least() and greatest() pass over what is unknown, so both are written out
            case when sow_stated_raw > 1 then 1 else sow_stated_raw end as sow_stated,
            sow_stated_raw > 1 as is_over_one,
            case
                when own_amount_stated_days > stated_amount
                then own_amount_stated_days
                when own_amount_stated_days is not null
                then stated_amount
            end as stated_wallet_amount,
            -- a wallet is never smaller than what is spent here
            case
                when ceiling_amount is not null
                then greatest(own_amount, ceiling_amount)
            end as imputed_wallet_amount,
            case
                when fitted_ceiling_amount is not null
                then greatest(own_amount, fitted_ceiling_amount)
            end as fitted_wallet_amount
        from known
    ),

    chosen as (
        select
            *,
            case
                -- more spent here than in all shops together: the statement is wrong,
                -- the ranking may hold
                when sow_stated_raw <= 1
                then 'stated'
                when sow_war > 0
                then 'allocation rule'
                when fitted_wallet_amount is not null
                then 'quantile regression'
                when imputed_wallet_amount is not null
                then 'peers'
            end as wallet_method
        from shared
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "source",
                        "customer_key",
                        "category",
                        "period_grain",
                        "period_start_date",
                    ]
                )
            }} as wallet_key,
            *,
            case
                wallet_method
                when 'stated'
                then sow_stated
                when 'allocation rule'
                then sow_war
                when 'quantile regression'
                then
                    cast(
                        {{ div("own_amount", "fitted_wallet_amount") }} as decimal(
                            18, 8
                        )
                    )
                when 'peers'
                then
                    cast(
                        {{ div("own_amount", "imputed_wallet_amount") }} as decimal(
                            18, 8
                        )
                    )
            end as share_of_wallet,
            case
                when wallet_method = 'stated' and abs(sow_stated - sow_war) <= 0.2
                then 'high'
                when wallet_method in ('stated', 'allocation rule')
                then 'medium'
                when wallet_method is not null
                then 'low'
            end as wallet_confidence
        from chosen
    )

select *
from final
