with
    totals as (select * from {{ ref("stg_market_totals__totals") }}),

    final as (
        select
            record_key as market_total_key,
            source,
            category,
            coalesce(region, 'all') as region,
            cast({{ month_start("month") }} as date) as month,
            amount,
            households as household_count
        from totals
    )

select *
from final
