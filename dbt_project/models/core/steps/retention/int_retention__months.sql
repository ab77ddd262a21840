{# Complete months since the first order's month, and those of them with an order. #}
with
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

    bounds as (select max(month) as last_month from months),

    active as (
        select activity.base_key as customer_key, count(*) as active_month_count
        from activity
        inner join months on activity.month = months.month
        group by activity.base_key
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
            ) as active_month_count
        from customers
        cross join bounds
        left join active on customers.customer_key = active.customer_key
    )

select *
from final
