with
    orders as (select * from {{ ref("int_orders__dated") }}),

    -- the currency most of a customer's orders are in; a customer's amounts are shown
    -- in it
    currencies as (
        select
            customer_key,
            currency_code,
            row_number() over (
                partition by customer_key order by count(*) desc, currency_code
            ) as place
        from orders
        where customer_key is not null
        group by customer_key, currency_code
    ),

    counted as (
        select
            customer_key,
            min(order_date) as first_order_date,
            max(order_date) as last_order_date,
            count(*) as order_count,
            count(distinct order_date) as order_day_count
        from orders
        where customer_key is not null and is_counted and not is_after_as_of
        group by customer_key
    ),

    final as (
        select
            currencies.customer_key,
            currencies.currency_code,
            counted.first_order_date,
            counted.last_order_date,
            coalesce(counted.order_count, 0) as order_count,
            coalesce(counted.order_day_count, 0) as order_day_count
        from currencies
        left join counted on currencies.customer_key = counted.customer_key
        where currencies.place = 1
    )

select *
from final
