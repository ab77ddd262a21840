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

    whole_weeks as (
        select distinct dates.week
        from {{ ref("dim_dates") }} as dates
        cross join as_of
        where
            dates.week > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and dates.week <= {{ add_days("as_of.as_of", -6) }}
    ),

    -- whether a rival promoted a category in a week
    weeks as (
        select
            categories.category,
            whole_weeks.week,
            count(promotions.category) > 0 as is_promoted
        from whole_weeks
        cross join categories
        left join
            promotions
            on categories.category = promotions.category
            and promotions.started_date <= {{ add_days("whole_weeks.week", 6) }}
            and promotions.ended_date >= whole_weeks.week
        group by categories.category, whole_weeks.week
    ),

    customers as (
        select customer_key, {{ week_start("first_order_date") }} as first_week
        from {{ ref("dim_customers") }}
        where base = 'customer' and first_order_date is not null
    ),

    -- the weeks a customer bought what a rival promoted
    bought_weeks as (
        select distinct
            lines.customer_key,
            weeks.category,
            {{ week_start("lines.order_date") }} as week
        from {{ ref("fct_order_lines") }} as lines
        inner join weeks on {{ week_start("lines.order_date") }} = weeks.week
        where lines.is_counted and lines.category = weeks.category
        union
        select distinct
            orders.customer_key,
            weeks.category,
            {{ week_start("orders.order_date") }} as week
        from {{ ref("fct_orders") }} as orders
        inner join weeks on {{ week_start("orders.order_date") }} = weeks.week
        where orders.is_counted and weeks.category = 'all'
    ),

    counted as (
        select
            customers.customer_key,
            count(case when weeks.is_promoted then 1 end) as promotion_week_count,
            count(
                case when weeks.is_promoted then bought_weeks.week end
            ) as promotion_order_week_count,
            count(case when not weeks.is_promoted then 1 end) as other_week_count,
            count(
                case when not weeks.is_promoted then bought_weeks.week end
            ) as other_order_week_count
        from customers
        -- before the first order there is no customer that a rival could tempt
        inner join weeks on weeks.week > customers.first_week
        left join
            bought_weeks
            on customers.customer_key = bought_weeks.customer_key
            and weeks.category = bought_weeks.category
            and weeks.week = bought_weeks.week
        group by customers.customer_key
    ),

    final as (
        select
            *,
            {{ div("promotion_order_week_count", "promotion_week_count") }}
            as promotion_order_rate,
            {{ div("other_order_week_count", "other_week_count") }} as other_order_rate
        from counted
        where promotion_week_count > 0
    )

select *
from final
