{# The statistics that wallets are fitted on: customers of a peer cell by spend, in bins of one percent. #}
with
    spends as (
        select
            *,
            -- half of the customers, by chance, for the others' fit to predict
            substr(md5(customer_key), 1, 1) >= '8' as is_held_out,
            cast(
                round(
                    cast(
                        100
                        * ln(cast(own_amount as {{ type_double() }})) as decimal(28, 6)
                    ),
                    0
                ) as bigint
            ) as log_bin
        from {{ ref("fct_wallet_spend") }}
        -- without a peer level there is nothing to compare with; the logarithm wants
        -- money above 0
        where peer_level is not null and own_amount > 0
    ),

    final as (
        select
            source,
            category,
            period_grain,
            period_start_date,
            peer_level,
            age_band,
            tenure_band,
            log_bin,
            is_held_out,
            {{ rounded(div("sum(own_amount)", "count(*)"), 4) }} as amount,
            count(*) as customer_count
        from spends
        group by
            source,
            category,
            period_grain,
            period_start_date,
            peer_level,
            age_band,
            tenure_band,
            log_bin,
            is_held_out
    )

select *
from final
