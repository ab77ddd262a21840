{# What each household of a panel bought of each brand and of the whole category, by calendar quarter and year. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    purchases as (select * from {{ ref("fct_panel_purchases") }}),

    placed as (
        {%- for grain in ("quarter", "year") %}
            select
                purchases.*,
                '{{ grain }}' as period_grain,
                cast(
                    date_trunc('{{ grain }}', purchased_date) as date
                ) as period_start_date
            from purchases
            cross join as_of
            where purchased_date <= as_of.as_of
            {% if not loop.last %}
                union all
            {% endif %}
        {%- endfor %}
    ),

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
