with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    final as (
        select
            customers.customer_key,
            count(case when days.order_count > 0 then 1 end) as order_day_count
        from customers
        cross join as_of
        inner join
            {{ ref("fct_customer_days") }} as days
            on customers.customer_key = days.base_key
            and days.calendar_date
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and days.calendar_date <= as_of.as_of
        group by customers.customer_key
    )

select *
from final
