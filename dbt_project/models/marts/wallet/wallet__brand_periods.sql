{%- set columns = [
    "source",
    "category",
    "period_grain",
    "period_start_date",
    "brand",
    "is_us",
    "base_count",
    "buyer_count",
    "purchase_count",
    "sole_buyer_count",
    "amount",
    "market_amount",
    "market_share",
    "value_market_share",
    "purchase_frequency",
    "category_frequency",
    "requirements_share",
    "value_requirements_share",
    "mean_share",
] | join(", ") -%}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    panel as (select * from {{ ref("int_wallet__panel_brands") }}),

    survey as (select * from {{ ref("int_wallet__survey_brands") }}),

    market as (select * from {{ ref("int_wallet__market_shares") }}),

    found as (
        select 'panel' as basis, {{ columns }}
        from panel
        union all
        select 'survey' as basis, {{ columns }}
        from survey
        union all
        select 'market total' as basis, {{ columns }}
        from market
    ),

    -- a market's total is not a sample
    judged as (
        select
            *,
            basis <> 'market total'
            and base_count < {{ var("min_base") }} as is_suppressed
        from found
    ),

    final as (
        select
            judged.basis,
            judged.source,
            judged.category,
            judged.period_grain,
            judged.period_start_date,
            judged.brand,
            judged.is_us,
            judged.base_count,
            judged.is_suppressed,
            judged.buyer_count,
            judged.purchase_count,
            judged.sole_buyer_count,
            as_of.reporting_currency_code as currency_code,
            judged.amount,
            judged.market_amount,
            {%- for name, value in [
                ("market_share", "judged.market_share"),
                ("value_market_share", "judged.value_market_share"),
                ("purchase_frequency", "judged.purchase_frequency"),
                ("category_frequency", "judged.category_frequency"),
                ("requirements_share", "judged.requirements_share"),
                (
                    "value_requirements_share",
                    "judged.value_requirements_share",
                ),
                ("mean_share", "judged.mean_share"),
            ] %}
                case
                    when not judged.is_suppressed
                    then cast({{ value }} as {{ type_double() }})
                end as {{ name }},
            {%- endfor %}
            {{
                suppress_small_rate(
                    "penetration", "judged.buyer_count", "judged.base_count"
                )
            }},
            {{
                suppress_small_rate(
                    "sole_buyer", "judged.sole_buyer_count", "judged.buyer_count"
                )
            }}
        from judged
        cross join as_of
    )

select *
from final
