{# What a customer usually buys, when and where; by order days, ties by name. Days count Monday = 1. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    orders as (
        select orders.*
        from {{ ref("fct_orders") }} as orders
        cross join as_of
        where
            orders.is_counted
            and orders.base = 'customer'
            and orders.order_date
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and orders.order_date <= as_of.as_of
    ),

    lines as (
        select orders.customer_key, lines.category, lines.net_amount
        from orders
        inner join
            {{ ref("fct_order_lines") }} as lines on orders.order_key = lines.order_key
        where lines.category is not null
    ),

    counted as (
        select
            'category' as habit,
            customer_key,
            category as habit_value,
            sum(net_amount) as weight
        from lines
        group by customer_key, category
        union all
        select 'channel', customer_key, channel, count(distinct order_date)
        from orders
        where channel is not null
        group by customer_key, channel
        union all
        select
            'weekday',
            customer_key,
            cast(
                mod({{ days_between("date '1900-01-01'", "order_date") }}, 7)
                + 1 as {{ dbt.type_string() }}
            ),
            count(distinct order_date)
        from orders
        group by customer_key, order_date
    ),

    -- a weekday has one row for each of its dates
    summed as (
        select habit, customer_key, habit_value, sum(weight) as weight
        from counted
        group by habit, customer_key, habit_value
    ),

    placed as (
        select
            *,
            row_number() over (
                partition by habit, customer_key order by weight desc, md5(habit_value)
            ) as place
        from summed
    ),

    final as (
        select
            customer_key,
            max(case when habit = 'category' then habit_value end) as top_category,
            max(case when habit = 'channel' then habit_value end) as usual_channel,
            max(
                case when habit = 'weekday' then cast(habit_value as integer) end
            ) as usual_weekday_number
        from placed
        where place = 1
        group by customer_key
    )

select *
from final
