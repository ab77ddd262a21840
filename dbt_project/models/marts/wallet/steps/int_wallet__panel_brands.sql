{# Market figures of every brand from a panel of households, by calendar quarter and year. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    purchases as (
        select purchased.*
        from {{ ref("stg_panel_purchases__purchases") }} as purchased
        inner join as_of on purchased.purchased_date <= as_of.as_of
    ),

    placed as ({{ by_period("purchases", "purchased_date") }}),

    -- a household's purchases of each brand, and of the whole category
    households as (
        select
            source,
            category,
            period_grain,
            period_start_date,
            household_id,
            brand,
            max(case when is_us then 1 else 0 end) = 1 as is_us,
            count(*) as purchase_count,
            sum(amount) as amount
        from placed
        group by source, category, period_grain, period_start_date, household_id, brand
    ),

    shared as (
        select
            *,
            sum(purchase_count) over of_household as all_purchase_count,
            sum(amount) over of_household as all_amount,
            count(*) over of_household as brand_count
        from households
        window
            of_household as (
                partition by
                    source, category, period_grain, period_start_date, household_id
            )
    ),

    markets as (
        select
            {{ brand_period_grain() }},
            count(distinct household_id) as household_count,
            sum(purchase_count) as market_purchase_count,
            sum(amount) as market_amount
        from shared
        group by {{ brand_period_grain() }}
    ),

    final as (
        select
            {{ brand_period_key() }} as brand_period_key,
            {{ brand_period_grain() }},
            brand,
            max(case when is_us then 1 else 0 end) = 1 as is_us,
            cast(max(markets.household_count) as bigint) as base_count,
            cast(count(*) as bigint) as buyer_count,
            cast(sum(purchase_count) as bigint) as purchase_count,
            cast(
                sum(case when brand_count = 1 then 1 else 0 end) as bigint
            ) as sole_buyer_count,
            cast(sum(amount) as {{ type_amount() }}) as amount,
            cast(max(markets.market_amount) as {{ type_amount() }}) as market_amount,
            {{ div("sum(purchase_count)", "max(markets.market_purchase_count)") }}
            as market_share,
            {{ div("sum(amount)", "max(markets.market_amount)") }}
            as value_market_share,
            {{ div("sum(purchase_count)", "count(*)") }} as purchase_frequency,
            {{
                div(
                    "max(markets.market_purchase_count)",
                    "max(markets.household_count)",
                )
            }} as category_frequency,
            {{ div("sum(purchase_count)", "sum(all_purchase_count)") }}
            as requirements_share,
            {{ div("sum(amount)", "sum(all_amount)") }} as value_requirements_share,
            {{
                div(
                    "sum(cast("
                    ~ div("purchase_count", "all_purchase_count")
                    ~ " as decimal(18, 12)))",
                    "count(*)",
                )
            }} as mean_share
        from shared
        inner join markets using ({{ brand_period_grain() }})
        group by {{ brand_period_grain() }}, brand
    )

select *
from final
