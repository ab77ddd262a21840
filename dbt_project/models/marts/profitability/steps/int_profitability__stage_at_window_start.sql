{# The stage at the START of the value window, from the orders until then: stages are compared by what followed, lapsed ones kept in. #}
with
    windows as (select * from {{ ref("dim_value_windows") }} where window_number = 0),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    days as (select * from {{ ref("fct_customer_order_days") }} where order_count > 0),

    before as (
        select
            customers.customer_key,
            customers.is_left_truncated,
            windows.start_date,
            min(days.calendar_date) as first_order_date,
            max(days.calendar_date) as last_order_date,
            count(distinct days.calendar_date) as order_day_count
        from customers
        inner join days on customers.customer_key = days.base_key
        inner join windows on days.calendar_date <= windows.start_date
        group by customers.customer_key, customers.is_left_truncated, windows.start_date
    ),

    final as (
        select
            customer_key,
            start_date,
            order_day_count,
            {{
                stage_on(
                    day="start_date",
                    first_date="first_order_date",
                    last_date="last_order_date",
                    order_day_count="order_day_count",
                    is_left_truncated="is_left_truncated",
                )
            }} as stage
        from before
    )

select *
from final
