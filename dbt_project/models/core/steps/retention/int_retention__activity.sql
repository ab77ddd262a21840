{# How active customers are: complete months with an order, categories bought, and the mean order in the newest trend_months against the same time before. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (
        select *
        from {{ ref("dim_customers") }}
        where base = 'customer' and first_order_date is not null
    ),

    months as (
        select *
        from {{ ref("dim_months") }}
        -- a month that is still running would look like one without an order
        where not is_partial and not is_after_as_of
    ),

    activity as (select * from {{ ref("fct_customer_months") }} where order_count > 0),

    orders as (
        select * from {{ ref("fct_orders") }} where is_counted and base = 'customer'
    ),

    bounds as (select max(month) as last_month from months),

    active as (
        select activity.base_key as customer_key, count(*) as active_month_count
        from activity
        inner join months on activity.month = months.month
        group by activity.base_key
    ),

    categories as (
        -- of goods without a category it is not known
        select customer_key, nullif(count(distinct category), 0) as category_count
        from {{ ref("fct_order_lines") }}
        where is_counted and base = 'customer'
        group by customer_key
    ),

    placed as (
        select
            orders.customer_key,
            orders.net_amount,
            case
                when
                    orders.order_date
                    > {{ add_months("as_of.as_of", -var("trend_months")) }}
                then 'now'
                -- half a window before the data began is no window
                when
                    orders.order_date
                    > {{ add_months("as_of.as_of", -2 * var("trend_months")) }}
                    and {{ add_days("as_of.data_start_date", -1) }}
                    <= {{ add_months("as_of.as_of", -2 * var("trend_months")) }}
                then 'before'
            end as half
        from orders
        cross join as_of
    ),

    summed as (
        select
            customer_key,
            sum(case when half = 'now' then 1 else 0 end) as recent_order_count,
            sum(case when half = 'now' then net_amount end) as recent_amount,
            sum(case when half = 'before' then 1 else 0 end) as earlier_order_count,
            sum(case when half = 'before' then net_amount end) as earlier_amount
        from placed
        group by customer_key
    ),

    final as (
        select
            customers.customer_key,
            cast(
                case
                    when bounds.last_month >= customers.first_order_month
                    then
                        {{
                            months_between(
                                "customers.first_order_month", "bounds.last_month"
                            )
                        }} + 1
                end as bigint
            ) as month_count,
            cast(
                case
                    when bounds.last_month >= customers.first_order_month
                    then coalesce(active.active_month_count, 0)
                end as bigint
            ) as active_month_count,
            cast(categories.category_count as bigint) as category_count,
            cast(summed.recent_order_count as bigint) as recent_order_count,
            {{ rounded(div("summed.recent_amount", "summed.recent_order_count"), 4) }}
            as recent_order_amount,
            cast(summed.earlier_order_count as bigint) as earlier_order_count,
            {{ rounded(div("summed.earlier_amount", "summed.earlier_order_count"), 4) }}
            as earlier_order_amount
        from customers
        cross join bounds
        left join active on customers.customer_key = active.customer_key
        left join categories on customers.customer_key = categories.customer_key
        left join summed on customers.customer_key = summed.customer_key
    )

select *
from final
