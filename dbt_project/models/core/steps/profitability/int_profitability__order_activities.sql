{# The activities that belong to an order; an amount of another currency drives no pool. #}
{%- set quantities = {
    "orders": "count(*)",
    "lines": "sum(line_count)",
    "units": "sum(unit_count)",
    "amount": "sum(net_amount)",
} -%}
with
    orders as (select * from {{ ref("fct_orders") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    refunds as (select * from {{ ref("fct_refunds") }}),

    counted as (
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
            where is_booked
            group by base_key, currency_code, order_month, source, channel
            union all
        {% endfor %}
        select
            refunds.base_key,
            refunds.currency_code,
            {{ month_start("refunds.refund_date") }} as month,
            refunds.source,
            orders.channel,
            'returns' as driver,
            count(*) as quantity
        from refunds
        left join orders on refunds.order_key = orders.order_key and orders.is_booked
        group by
            refunds.base_key,
            refunds.currency_code,
            {{ month_start("refunds.refund_date") }},
            refunds.source,
            orders.channel
    ),

    final as (
        select
            case
                when counted.currency_code = as_of.reporting_currency_code
                then counted.base_key
                else 'other_currency:' || as_of.reporting_currency_code
            end as bearer_key,
            counted.month,
            counted.source,
            counted.channel,
            counted.driver,
            cast(counted.quantity as {{ type_amount() }}) as quantity
        from counted
        cross join as_of
        where
            counted.driver <> 'amount'
            or counted.currency_code = as_of.reporting_currency_code
    )

select *
from final
