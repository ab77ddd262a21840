{# What each customer, or row outside the base, did in a month: the quantities that cost pools are spread by. #}
{%- set quantities = {
    "orders": "count(*)",
    "lines": "sum(line_count)",
    "units": "sum(unit_count)",
    "amount": "sum(net_amount)",
} -%}
with
    orders as (select * from {{ ref("fct_orders") }} where is_booked),

    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    refunds as (
        select
            refunds.base_key,
            refunds.currency_code,
            refunds.refund_date,
            refunds.source,
            orders.channel
        from {{ ref("fct_refunds") }} as refunds
        left join
            {{ ref("fct_orders") }} as orders on refunds.order_key = orders.order_key
    ),

    by_order as (
        {% for driver, quantity in quantities.items() %}
            select
                base_key,
                currency_code,
                order_month as month,
                source,
                channel,
                '{{ driver }}' as driver,
                {{ quantity }} as quantity
            from orders
            group by base_key, currency_code, order_month, source, channel
            union all
        {% endfor %}
        select
            base_key,
            currency_code,
            {{ month_start("refund_date") }},
            source,
            channel,
            'returns',
            count(*)
        from refunds
        group by
            base_key, currency_code, {{ month_start("refund_date") }}, source, channel
    ),

    by_customer as (select * from {{ ref("int_costs__contacts") }}),

    together as (
        -- pools are in the reporting currency and are not mixed with amounts of another
        select
            case
                when by_order.currency_code = as_of.reporting_currency_code
                then by_order.base_key
                else 'other_currency:' || as_of.reporting_currency_code
            end as base_key,
            by_order.month,
            by_order.source,
            by_order.channel,
            cast(null as {{ dbt.type_string() }}) as campaign_key,
            by_order.driver,
            cast(by_order.quantity as {{ type_amount() }}) as quantity
        from by_order
        cross join as_of
        where
            by_order.driver <> 'amount'
            or by_order.currency_code = as_of.reporting_currency_code
        union all
        select
            case
                when customers.customer_key is null
                then 'unknown:' || as_of.reporting_currency_code
                when customers.currency_code = as_of.reporting_currency_code
                then customers.base_key
                else 'other_currency:' || as_of.reporting_currency_code
            end as base_key,
            by_customer.month,
            by_customer.source,
            by_customer.channel,
            by_customer.campaign_key,
            by_customer.driver,
            by_customer.quantity
        from by_customer
        cross join as_of
        left join customers on by_customer.customer_key = customers.customer_key
    ),

    final as (
        select
            base_key,
            month,
            source,
            channel,
            campaign_key,
            driver,
            sum(quantity) as quantity
        from together
        where quantity > 0
        group by base_key, month, source, channel, campaign_key, driver
    )

select *
from final
