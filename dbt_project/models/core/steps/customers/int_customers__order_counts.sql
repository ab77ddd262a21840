{# An order in a currency that cannot be converted is still an order of its customer: only its amounts stand apart. #}
with
    orders as (select * from {{ ref("fct_orders") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    owned as (
        select
            case
                when orders.base = 'other_currency'
                then orders.customer_key
                else orders.base_key
            end as base_key,
            case
                when orders.base = 'other_currency'
                then customers.currency_code
                else orders.currency_code
            end as currency_code,
            orders.order_date as calendar_date,
            case when orders.is_counted then 1 else 0 end as order_count,
            case when orders.is_kept then 1 else 0 end as kept_order_count
        from orders
        left join customers on orders.customer_key = customers.customer_key
    ),

    final as (
        select
            base_key,
            currency_code,
            calendar_date,
            sum(order_count) as order_count,
            sum(kept_order_count) as kept_order_count
        from owned
        group by base_key, currency_code, calendar_date
    )

select *
from final
