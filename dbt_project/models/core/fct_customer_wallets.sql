{# The best measure of each wallet. What customers say is judged before, in int_wallet__period_statements. #}
with
    known as (select * from {{ ref("int_wallet__measures") }}),

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
                when statement_method is not null
                then statement_method
                when fitted_wallet_amount is not null
                then 'quantile regression'
                when imputed_wallet_amount is not null
                then 'peers'
            end as wallet_method
        from shared
    ),

    decided as (
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
                when statement_method
                then statement_share
                when 'quantile regression'
                then {{ rounded(div("own_amount", "fitted_wallet_amount"), 8) }}
                when 'peers'
                then {{ rounded(div("own_amount", "imputed_wallet_amount"), 8) }}
            end as share_of_wallet,
            case
                when is_sole_buyer and sow_stated_raw < 1
                then 'low'
                when wallet_method = 'stated' and abs(sow_stated - sow_war) <= 0.2
                then 'high'
                when wallet_method in ('stated', 'allocation rule')
                then 'medium'
                when wallet_method is not null
                then 'low'
            end as wallet_confidence
        from chosen
    ),

    final as (
        select
            *,
            case
                -- nothing is ours: what was stated for its days, as long as the period
                when share_of_wallet = 0
                then
                    {{
                        rounded(
                            "cast(stated_wallet_amount as "
                            ~ type_double()
                            ~ ") * case period_grain when 'year' then 365 else 91.25 end / nullif(stated_days, 0)",
                            4,
                        )
                    }}
                else {{ rounded(div("own_amount", "share_of_wallet"), 4) }}
            end as wallet_amount,
            -- buys nowhere else, and spends elsewhere
            is_sole_buyer and coalesce(sow_stated_raw < 1, false) as has_contradiction
        from decided
    )

select *
from final
