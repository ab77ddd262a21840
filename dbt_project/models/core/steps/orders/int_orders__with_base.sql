{# Who an order's amounts belong to: a customer, or one of the rows outside the base. #}
with
    orders as (select * from {{ ref("int_orders__dated") }}),

    records as (select * from {{ ref("int_customers__records") }}),

    ranked as (
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

    -- the currency most of a customer's orders are in; a customer's amounts are shown
    -- in it
    currencies as (select * from ranked where place = 1),

    based as (
        select
            orders.*,
            currencies.currency_code as customer_currency_code,
            case
                when orders.is_after_as_of
                then 'after_as_of'
                when orders.customer_key is null
                then 'guest'
                when records.base <> 'customer'
                then records.base
                -- never added to amounts of another currency
                when orders.currency_code <> currencies.currency_code
                then 'other_currency'
                else 'customer'
            end as base
        from orders
        left join currencies on orders.customer_key = currencies.customer_key
        left join records on orders.customer_key = records.merged_customer_key
    ),

    final as (
        select *, {{ base_key("base", "customer_key", "currency_code") }} as base_key
        from based
    )

select *
from final
