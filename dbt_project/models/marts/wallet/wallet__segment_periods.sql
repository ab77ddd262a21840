with
    wallets as (select * from {{ ref("int_wallet__segments") }}),

    final as (
        select
            source,
            category,
            period_grain,
            period_start_date,
            segment_by,
            segment,
            currency_code,
            cast(customer_count as bigint) as customer_count,
            cast(own_amount as {{ type_amount() }}) as own_amount,
            cast(share_count as bigint) as share_count,
            share_count < {{ var("min_base") }} as is_suppressed,
            cast(sized_own_amount as {{ type_amount() }}) as sized_own_amount,
            cast(wallet_amount as {{ type_amount() }}) as wallet_amount,
            cast(
                wallet_amount - sized_own_amount as {{ type_amount() }}
            ) as wallet_gap_amount,
            cast(inferred_count as bigint) as inferred_count,
            case
                when segment_by = 'tier'
                then
                    'the tier is made on the same spend: the best tier has a high share by construction; compare groups by tier_prior'
                when inferred_count > 0
                then
                    'some wallets are the spend of the best peers, not measured rival spend: another percentile gives another share'
            end as warning,
            cast(stated_count as bigint) as stated_count,
            cast(brands_answer_count as bigint) as brands_answer_count,
            {%- for name, value, base in [
                (
                    "share_of_wallet",
                    div("sized_own_amount", "wallet_amount"),
                    "share_count",
                ),
                (
                    "sow_stated",
                    div("stated_own_amount", "stated_wallet_amount"),
                    "stated_count",
                ),
                (
                    "mean_brands_used",
                    div("brands_used_sum", "brands_answer_count"),
                    "brands_answer_count",
                ),
            ] %}
                cast(
                    {{ suppress_small(value, base) }} as {{ type_double() }}
                ) as {{ name }},
            {%- endfor %}
            {{
                mean_with_interval(
                    "mean_share_of_wallet",
                    "share_sum",
                    "share_squares",
                    "share_count",
                )
            }},
            {{
                mean_with_interval(
                    "mean_sow_stated",
                    "stated_share_sum",
                    "stated_share_squares",
                    "stated_count",
                )
            }},
            {{
                suppress_small_rate(
                    "sole_buyer", "sole_buyer_count", "sole_answer_count"
                )
            }}
        from wallets
    )

select *
from final
