with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    days as (
        select days.*
        from {{ ref("fct_customer_days") }} as days
        cross join as_of
        where
            days.calendar_date
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and days.calendar_date <= as_of.as_of
    ),

    summed as (
        select
            customers.customer_key,
            customers.currency_code,
            customers.last_order_date
            > {{ add_days("as_of.as_of", -var("churn_days")) }} as is_active,
            count(case when days.order_count > 0 then 1 end) as order_day_count,
            sum(
                days.goods_amount + days.shipping_amount - days.refund_amount
            ) as net_amount
        from customers
        cross join as_of
        inner join days on customers.customer_key = days.base_key
        group by
            customers.customer_key,
            customers.currency_code,
            customers.last_order_date,
            as_of.as_of
    ),

    bounds as (
        select
            currency_code,
            {{ percentile("net_amount", var("heavy_buyer_percentile")) }}
            as heavy_amount
        from summed
        where is_active
        group by currency_code
    ),

    final as (
        select
            summed.customer_key,
            summed.order_day_count,
            summed.is_active,
            summed.net_amount,
            summed.net_amount >= bounds.heavy_amount as is_heavy_buyer
        from summed
        left join bounds on summed.currency_code = bounds.currency_code
    )

select *
from final
