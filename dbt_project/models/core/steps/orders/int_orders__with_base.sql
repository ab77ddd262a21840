{# To whom an order's amounts belong: a customer, or one of the rows outside the base. #}
with
    orders as (select * from {{ ref("int_orders__dated") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    based as (
        select
            orders.*,
            case
                when orders.is_after_as_of
                then 'after_as_of'
                when orders.customer_key is null
                then 'guest'
                -- never added to amounts of another currency
                when
                    customers.base = 'customer'
                    and orders.currency_code <> customers.currency_code
                then 'other_currency'
                else customers.base
            end as base
        from orders
        left join customers on orders.customer_key = customers.customer_key
    ),

    final as (
        select *, {{ base_key("base", "customer_key", "currency_code") }} as base_key
        from based
    )

select *
from final
