{# Weeks of the last months with and without a rival's promotion, per category that rivals promoted. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    promotions as (
        select
            coalesce(category, 'all') as category,
            started_date,
            coalesce(ended_date, started_date) as ended_date
        from {{ ref("fct_market_events") }}
        where kind = 'rival_promo'
    ),

    categories as (select distinct category from promotions),

    weeks as (
        select distinct dates.week
        from {{ ref("dim_dates") }} as dates
        cross join as_of
        where
            dates.week > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and dates.week <= {{ add_days("as_of.as_of", -6) }}
    ),

    final as (
        select
            categories.category,
            weeks.week,
            count(promotions.category) > 0 as is_promoted
        from weeks
        cross join categories
        left join
            promotions
            on categories.category = promotions.category
            and promotions.started_date <= {{ add_days("weeks.week", 6) }}
            and promotions.ended_date >= weeks.week
        group by categories.category, weeks.week
    )

select *
from final
