{# What each household of a panel bought of each brand and of the whole category, by calendar quarter and year. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    purchases as (
        select purchased.*
        from {{ ref("int_wallet__panel_purchases") }} as purchased
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

    final as (
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
    )

select *
from final
